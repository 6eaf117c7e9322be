/** Plain text to learn a language from: files of UTF-8, as sequences of tokens of one length. */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { RequestError } from '../../../shared/errors.js';
import type { TokenisedText } from '../tokenised-text.js';
import type { TextTokenizer } from '../tokenizer.js';
import { readUtf8 } from '../utf8.js';

export interface PlainText {
  readonly file: string;
  readonly text: string;
}

/**
 * @param root a file, or a folder whose .txt files are read by name
 * @throws RequestError where there is none, or one is not UTF-8
 */
export async function readPlainText(root: string): Promise<PlainText[]> {
  const hint = 'Give a .txt file of UTF-8, or a folder that holds some.';
  const found = await stat(root).catch(() => undefined);
  if (!found) throw new RequestError(`${root} is not there`, hint);
  const names = found.isDirectory() ? (await readdir(root)).filter((name) => name.endsWith('.txt')).sort() : [''];
  if (names.length === 0) throw new RequestError(`${root} holds no .txt file`, hint);
  return Promise.all(
    names.map(async (name) => {
      const file = path.join(root, name);
      return { file, text: await readUtf8(file, hint) };
    }),
  );
}

/** Lines that are encoded at once: the time of the encoder grows faster than its text. */
const linesTogether = 8;

export interface Sequences {
  readonly train: readonly TokenisedText[];
  readonly validation: readonly TokenisedText[];
}

/**
 * Cuts all files into sequences of `length` tokens, the begin token first; what remains at the end of a file is left out.
 * Every n-th sequence is for validation, with n = 1 / validationFraction.
 * @throws RequestError where there is too little text for one of either
 */
export function sequencesOf(
  texts: readonly PlainText[],
  tokenizer: TextTokenizer,
  length: number,
  validationFraction: number,
): Sequences {
  const all = texts.flatMap(({ text }) => cut(encoded(text, tokenizer), tokenizer.special.begin, length));
  const every = Math.max(2, Math.round(1 / validationFraction));
  const [train, validation] = [true, false].map((isTraining) =>
    all.filter((_, index) => (index % every !== every - 1) === isTraining),
  ) as [TokenisedText[], TokenisedText[]];
  if (train.length === 0 || validation.length === 0) {
    throw new RequestError(
      `the text makes ${all.length} sequences of ${length} tokens: too few to train and to validate`,
      'Give more text, or a smaller data.length.',
    );
  }
  return { train, validation };
}

function encoded(text: string, tokenizer: TextTokenizer): number[] {
  const lines = text.split('\n');
  const ids: number[] = [];
  for (let line = 0; line < lines.length; line += linesTogether) {
    const isLast = line + linesTogether >= lines.length;
    const part = lines.slice(line, line + linesTogether).join('\n') + (isLast ? '' : '\n');
    for (const id of tokenizer.encode(part, { begin: false })) ids.push(id);
  }
  return ids;
}

function cut(ids: readonly number[], begin: number, length: number): TokenisedText[] {
  return Array.from({ length: Math.floor(ids.length / (length - 1)) }, (_, index) => {
    const sequence = [begin, ...ids.slice(index * (length - 1), (index + 1) * (length - 1))];
    return { ids: sequence, labels: sequence };
  });
}
