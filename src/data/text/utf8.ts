/** Files of text, which are UTF-8: another encoding would be read as other letters without a word. */
import { readFile } from 'node:fs/promises';
import { RequestError } from '../../shared/errors.js';

/**
 * Without the byte order mark that some editors put in front.
 * @param expected what to give instead of a file that cannot be read, a sentence
 */
export async function readUtf8(file: string, expected: string): Promise<string> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new RequestError(`${file} cannot be read (${error.code})`, expected);
  });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new RequestError(
      `${file} is not UTF-8`,
      'Save it as UTF-8, or convert it: iconv -f ENCODING -t UTF-8, from LATIN1, say.',
    );
  }
}
