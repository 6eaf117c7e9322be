/** Which of the files of a model's folder, local or on the hub, hold the weights. */
import { RequestError } from '../../../shared/errors.js';

export const singleFile = 'model.safetensors';
export const indexFile = 'model.safetensors.index.json';

const pickle = /\.(bin|pth|pt|ckpt|pkl)$/;

/**
 * The file to open: `model.safetensors`, the index of its shards, or else the only .safetensors or .npz file.
 *
 * @param names files of the folder, without sub-folders
 */
export function chooseWeightFile(location: string, names: readonly string[]): string {
  for (const name of [singleFile, indexFile]) if (names.includes(name)) return name;
  const readable = names.filter((name) => /\.(safetensors|npz)$/.test(name));
  if (readable.length === 1) return readable[0]!;
  if (readable.length > 1) {
    throw new RequestError(
      `${location} has several weight files: ${readable.sort().join(', ')}`,
      'Give the path of one of them.',
    );
  }
  const unreadable = names.find((name) => pickle.test(name));
  if (unreadable) refusePickle(unreadable, location);
  throw new RequestError(
    `${location} has no weight file`,
    `Expected ${singleFile}, ${indexFile} with its shards, or one .safetensors or .npz file.`,
  );
}

/** Refuses what PyTorch's own format is: a pickle, which can run any program when it is read. */
export function refusePickle(file: string, folder?: string): void {
  if (!pickle.test(file)) return;
  const target = file.replace(pickle, '.safetensors');
  const convert = [
    'import torch, safetensors.torch',
    `w = torch.load('${file}', map_location='cpu', weights_only=True)`,
    "w = w.get('model', w)",
    `safetensors.torch.save_file({k: v.clone().contiguous() for k, v in w.items()}, '${target}')`,
  ].join('; ');
  throw new RequestError(
    `${file}${folder ? ` (the only weight file of ${folder})` : ''} is a Python pickle, which is never opened because it can run programs`,
    `Convert it once: python -c "${convert}"`,
  );
}
