/**
 * Where the TensorFlow addon is. It is no dependency of this package, because its install script downloads hundreds of
 * megabytes: it comes from the project's own node_modules, or from the folder that `esta engine install` fills.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { enginesFolder } from '../engines-folder.js';

export const addonVersion = '4.22.0'; // must equal the version of @tensorflow/tfjs that the project depends on
export const gpuPackage = '@tensorflow/tfjs-node-gpu';
export const cpuPackage = '@tensorflow/tfjs-node';

/** An installed addon package; whether its binary loads is another question. */
export interface AddonLocation {
  readonly packageName: string;
  readonly version: string;
  /** The package's own folder. */
  readonly folder: string;
}

/** The TensorFlow engine's place in the engines folder. */
export function tensorflowFolder(environment: NodeJS.ProcessEnv = process.env): string {
  return path.join(enginesFolder(environment), 'tensorflow');
}

/** The first addon package found in `roots`, the GPU one before the CPU one; undefined when there is none. */
export function findAddon(
  roots: readonly string[] = [path.dirname(fileURLToPath(import.meta.url)), tensorflowFolder()],
): AddonLocation | undefined {
  for (const root of roots) {
    const resolve = createRequire(path.join(root, 'package.json')).resolve;
    for (const packageName of [gpuPackage, cpuPackage]) {
      const manifest = resolvable(() => resolve(`${packageName}/package.json`));
      if (!manifest) continue;
      const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
      return { packageName, version, folder: path.dirname(manifest) };
    }
  }
  return undefined;
}

function resolvable(resolve: () => string): string | undefined {
  try {
    return resolve();
  } catch {
    return undefined; // not installed under this root
  }
}
