/** Finds the weights that a checkpoint of a configuration names, whatever their format and place. */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { RequestError } from '../../../shared/errors.js';
import { exists, explainReadError } from '../../../shared/files.js';
import { openNpz } from '../formats/npz.js';
import { openSafetensors } from '../formats/safetensors.js';
import { openShards } from '../formats/shards.js';
import type { Weights } from '../formats/weights.js';
import { embeddedFile } from './embedded.js';
import { fetchFromHub } from './hub.js';
import { chooseWeightFile, refusePickle } from './weight-files.js';

/**
 * Opens weights; the caller closes them.
 *
 * @param source `embedded`, `hf-hub:OWNER/NAME[@REVISION]`, or the path of a folder or of a .safetensors, .npz or
 *   .safetensors.index.json file
 * @param architecture which of the embedded networks
 */
export async function openWeights(source: string, architecture: string): Promise<Weights> {
  const file = await weightFile(source, architecture);
  return source.startsWith('hf-hub:') ? openFile(file, source) : openFile(file);
}

/**
 * The file that holds the weights, or the index of the files that do; parameters as `openWeights`'s.
 * @param environment says where the cache of the hub is, and with HF_HUB_OFFLINE that nothing is fetched
 */
export async function weightFile(
  source: string,
  architecture: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  if (source === 'embedded') return embeddedFile(architecture);
  if (source.startsWith('hf-hub:')) return fetchFromHub(source, environment);
  const stats = await stat(source).catch(() => undefined);
  if (!stats?.isDirectory()) return source;
  const names = await readdir(source).catch((error: NodeJS.ErrnoException) => {
    throw explainReadError(error, source);
  });
  return path.join(source, chooseWeightFile(source, names));
}

async function openFile(file: string, location = file): Promise<Weights> {
  if (file.endsWith('.safetensors')) return openSafetensors(file);
  if (file.endsWith('.npz')) return openNpz(file);
  if (file.endsWith('.safetensors.index.json')) return openShards(file);
  refusePickle(file);
  const hint =
    'Give a .safetensors or .npz file, a .safetensors.index.json file, a folder with one of them, hf-hub:OWNER/NAME, or embedded.';
  if (!(await exists(file))) throw new RequestError(`${location} does not exist`, hint);
  throw new RequestError(`${location} is not a weight file that can be read`, hint);
}
