/** Which of the files of a model's folder, local or on the hub, hold the weights. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { RequestError } from '../../../shared/errors.js';

export const singleFile = 'model.safetensors';
export const indexFile = 'model.safetensors.index.json';

const pickle = /\.(bin|pth|pt|ckpt|pkl)(\.tar)?$/;

/** What training scripts keep their state dict under; averaged weights first, as timm takes them (load_state_dict). */
const stateDictKeys = ['state_dict_ema', 'model_ema', 'state_dict', 'model_state_dict', 'model', 'net', 'teacher'];

/**
 * The file to open: `model.safetensors`, the index of its shards, or else the only .safetensors or .npz file.
 *
 * @param all files of the folder, without sub-folders
 */
export function chooseWeightFile(location: string, all: readonly string[]): string {
  // macOS leaves `._model.safetensors` beside what it copies.
  const names = all.filter((name) => !name.startsWith('.'));
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

/** Refuses what PyTorch's own format is: a pickle, which can run any program when it is read. What is not there is no such file. */
export function refusePickle(file: string, folder?: string): void {
  if (!pickle.test(file)) return;
  const isOnHub = folder?.startsWith('hf-hub:') === true;
  const source = folder === undefined || isOnHub ? file : path.join(folder, file);
  if (!isOnHub && !existsSync(source)) return;
  const convert = [
    'import argparse, torch, safetensors.torch',
    // Training scripts keep their arguments beside the weights. PyTorch before 2.4 has no list of what is safe.
    `getattr(torch.serialization, 'add_safe_globals', list)([argparse.Namespace])`,
    `w = torch.load(${pythonText(source)}, map_location='cpu', weights_only=True)`,
    `w = next((w[k] for k in ${quoted(stateDictKeys)} if w.get(k) is not None), w)`,
    'w = {k: v.clone().contiguous() for k, v in w.items() if torch.is_tensor(v)}',
    "assert w, 'no tensors in it: look into the file for its state dict'",
    `safetensors.torch.save_file(w, ${pythonText(source.replace(pickle, '.safetensors'))})`,
  ].join('; ');
  throw new RequestError(
    `${file}${folder ? ` (the only weight file of ${folder})` : ''} is a Python pickle, which is never opened because it can run programs`,
    `${isOnHub ? 'Download and convert' : 'Convert'} it once: python -c "${convert}"`,
  );
}

/** A text in Python, inside of double quotes of a shell. */
function pythonText(text: string): string {
  const literal = `'${text.replace(/[\\']/g, '\\$&')}'`;
  return literal.replace(/["$`\\]/g, '\\$&');
}

function quoted(names: readonly string[]): string {
  return `(${names.map((name) => `'${name}'`).join(', ')})`;
}
