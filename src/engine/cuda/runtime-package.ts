/** onnxruntime-node in the version of a provider, with its libraries for linux x64 alone. */
import { cp, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { readJson } from '../../shared/files.js';
import { unpackFiles } from './unpack.js';

const runtimePackages = ['onnxruntime-node', 'onnxruntime-common'] as const;

/**
 * Copies the program's own onnxruntime-node where its version fits; downloads the one that fits otherwise.
 * @param modules the node_modules folder to place it in
 * @param fetched gives the archive of a package, in the version that was asked for
 */
export async function placeRuntime(
  version: string,
  modules: string,
  fetched: (name: string) => Promise<string>,
): Promise<void> {
  const isNeeded = (name: string) => !/[\\/](?:bin|script)[\\/]/.test(name) || name.includes('/napi-v6/linux/x64/');
  for (const name of runtimePackages) {
    const target = path.join(modules, name);
    const own = ownPackage(name);
    if ((await readJson<{ version: string }>(path.join(own, 'package.json'))).version === version) {
      await cp(own, target, {
        recursive: true,
        dereference: true,
        filter: async (file) => (await stat(file)).isDirectory() || isNeeded(file.slice(own.length)),
      });
      continue;
    }
    const archive = await fetched(name);
    await unpackFiles(archive, `${target}-unpacked`, isNeeded);
    await rename(path.join(`${target}-unpacked`, 'package'), target);
    await rm(`${target}-unpacked`, { recursive: true });
  }
}

/** The folder of a package that this program uses itself; onnxruntime-common is what onnxruntime-node finds. */
function ownPackage(name: string): string {
  const own = createRequire(import.meta.url).resolve('onnxruntime-node/package.json');
  if (name === 'onnxruntime-node') return path.dirname(own);
  const main = createRequire(own).resolve(name); // its package.json is not exported
  return main.slice(0, main.lastIndexOf(`${path.sep}${name}${path.sep}`) + name.length + 1);
}
