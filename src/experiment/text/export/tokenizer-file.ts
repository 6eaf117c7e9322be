/** The tokenizer of a network that is exported: programs look for it beside the network, under the name that it has. */
import { copyFile, readFile } from 'node:fs/promises';
import path from 'node:path';
import { RequestError } from '../../../shared/errors.js';
import { exists } from '../../../shared/files.js';

export interface TokenizerFile {
  /** Where it will lie. */
  readonly file: string;
  /** Copies it there. */
  copy(): Promise<void>;
}

/**
 * @param source folder of a network
 * @param exported the file that is written
 * @throws RequestError where another tokenizer has the place, or the exported file itself would
 */
export async function tokenizerBeside(source: string, exported: string): Promise<TokenizerFile> {
  const name = (await exists(path.join(source, 'tokenizer.json'))) ? 'tokenizer.json' : 'tokenizer.model';
  const { dir, name: own } = path.parse(exported);
  const [from, file] = [source, dir].map((folder) => path.resolve(folder, name)) as [string, string];
  const hint = 'Give --out a folder of its own: programs look for the tokenizer beside the network, by this name.';
  if (`${own}.json` === name) {
    throw new RequestError(`--out ${exported}: its description would be ${name}, and so would the tokenizer`, hint);
  }
  if (from === file) return { file, copy: async () => {} };
  if ((await exists(file)) && !(await readFile(file)).equals(await readFile(from))) {
    throw new RequestError(`${file} is another tokenizer than that of the network, and is not replaced`, hint);
  }
  return { file, copy: () => copyFile(from, file) };
}
