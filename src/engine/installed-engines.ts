/** Which engines `esta engine install` has brought. */
import { rm } from 'node:fs/promises';
import { exists } from '../shared/files.js';
import { cudaFolder, type InstalledCuda, installedCuda, uninstallCuda } from './cuda/installed.js';
import { enginesFolder } from './engines-folder.js';
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

export async function uninstallEngine(name: 'cuda' | 'tensorflow'): Promise<{ removed: boolean; folder: string }> {
  if (name === 'cuda') return { removed: await uninstallCuda(), folder: cudaFolder() };
  const folder = tensorflowFolder();
  const removed = await exists(folder);
  for (const each of [folder, `${folder}.partial`]) await rm(each, { recursive: true, force: true });
  return { removed, folder };
}
