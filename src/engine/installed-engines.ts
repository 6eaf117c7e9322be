/** Which engines `esta engine install` has brought. */
import { rm } from 'node:fs/promises';
import { exists } from '../shared/files.js';
import { cudaFolder, type InstalledCuda, installedCuda, uninstallCuda } from './cuda/installed.js';
import { enginesFolder, explainEngineError } from './engines-folder.js';
import { type AddonLocation, findAddon, tensorflowFolder } from './tensorflow/location.js';

export interface EngineListing {
  /** Where `esta engine install` puts them. */
  readonly folder: string;
  readonly cuda?: InstalledCuda & { readonly folder: string };
  readonly tensorflow?: AddonLocation;
}

export function listEngines(): EngineListing {
  const [cuda, tensorflow] = [installedCuda(), findAddon()];
  return {
    folder: enginesFolder(),
    ...(cuda && { cuda: { ...cuda, folder: cudaFolder() } }),
    ...(tensorflow && { tensorflow }),
  };
}

export function renderEngines({ folder, cuda, tensorflow }: EngineListing): string {
  return [
    `Optional engines (in ${folder}, or where $ESTA_ENGINES says)`,
    cuda
      ? `  cuda        ONNX Runtime ${cuda.runtime} for CUDA ${cuda.cuda}, from ${cuda.source}`
      : '  cuda        not installed: esta engine install --cuda',
    tensorflow
      ? `  tensorflow  ${tensorflow.packageName} ${tensorflow.version} in ${tensorflow.folder}`
      : '  tensorflow  not installed: esta engine install',
  ].join('\n');
}

/** @throws RequestError where it cannot be removed */
export async function uninstallEngine(name: 'cuda' | 'tensorflow'): Promise<{ removed: boolean; folder: string }> {
  const folder = name === 'cuda' ? cudaFolder() : tensorflowFolder();
  try {
    return { removed: await (name === 'cuda' ? uninstallCuda(folder) : uninstallTensorFlow(folder)), folder };
  } catch (error) {
    throw explainEngineError(error, folder);
  }
}

async function uninstallTensorFlow(folder: string): Promise<boolean> {
  const was = await exists(folder);
  for (const each of [folder, `${folder}.partial`]) await rm(each, { recursive: true, force: true });
  return was;
}
