/** The name of the file that a stitch is written to: it must not say that it is something else, nor cost a file of the user. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { RequestError } from '../../shared/errors.js';

const kinds = { '.onnx': 'an ONNX file', '.safetensors': 'a state dict in safetensors' } as const;
const readers = { '.onnx': 'ONNX Runtime', '.safetensors': 'PyTorch' } as const;

type Extension = keyof typeof kinds;

/** What is never written here: pickles of PyTorch, and the description that an ONNX file has beside it. */
const others = ['.pt', '.pth', '.ckpt', '.json'];

/**
 * @param extension of what is written; names without one, or with any that is not known here, are fine
 * @param offered kinds of files that the network can be written as instead
 * @throws RequestError for the name of another kind of file
 */
export function refuseOtherName(
  file: string,
  extension: Extension,
  offered: readonly Extension[] = ['.onnx', '.safetensors'],
): void {
  const given = path.extname(file);
  const known = [...Object.keys(kinds).filter((kind) => kind !== extension), ...others];
  if (!known.includes(given.toLowerCase())) return;
  const { dir, name } = path.parse(file);
  const names = offered.map((kind) => `--out ${path.join(dir, name + kind)} for ${readers[kind]}`);
  throw new RequestError(
    `${file} would be ${kinds[extension]}, and its name says ${given}`,
    `Give ${names.join(', or ')}.`,
  );
}

/** The JSON file that describes an ONNX file, beside it. */
export function descriptionOf(file: string): string {
  const { dir, name } = path.parse(file);
  return path.join(dir, `${name}.json`);
}

/** @throws RequestError where another JSON file has the name of the description: labels, or answers of `predict --json` */
export async function refuseToReplaceOther(file: string): Promise<void> {
  const description = descriptionOf(file);
  const text = await readFile(description, 'utf8').catch(() => undefined);
  if (text === undefined || isDescription(text)) return;
  throw new RequestError(
    `${description} is there, and describes no exported file: the description of ${file} would replace it`,
    'Give --out another name, or move that file away.',
  );
}

function isDescription(text: string): boolean {
  try {
    const content: unknown = JSON.parse(text);
    return typeof content === 'object' && content !== null && 'description' in content && 'comparison' in content;
  } catch {
    return false;
  }
}
