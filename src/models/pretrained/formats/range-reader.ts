/** Reads ranges of files of any size: Node reads whole files up to 2 GiB only, weight files have 10 GB. */
import { type FileHandle, open } from 'node:fs/promises';
import { RequestError } from '../../../shared/errors.js';
import { explainReadError } from '../../../shared/files.js';

/** One system call reads less than 2 GiB. */
const mostBytesPerRead = 2 ** 30;

export const damagedFileHint =
  'The file is damaged or was not copied completely: download or copy it again, and compare its size with the original.';

export class RangeReader {
  private constructor(
    readonly file: string,
    /** Bytes of the file when it was opened. */
    readonly size: number,
    private readonly handle: FileHandle,
  ) {}

  static async open(file: string): Promise<RangeReader> {
    const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT')
        throw new RequestError(`${file} does not exist`, 'Check the path of the checkpoint.');
      throw explainReadError(error, file);
    });
    const stats = await handle.stat();
    if (stats.isFile()) return new RangeReader(file, stats.size, handle);
    await handle.close();
    throw new RequestError(`${file} is not a file`, 'Give the path of the file that holds the weights.');
  }

  /** `length` bytes from `position`, in memory of their own (aligned for every typed array). */
  async read(position: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const count = Math.min(length - done, mostBytesPerRead);
      const { bytesRead } = await this.handle.read(bytes, done, count, position + done);
      if (bytesRead === 0) {
        const missing = `the file ends at byte ${position + done}, bytes up to ${position + length} are needed`;
        throw new RequestError(`${this.file} is truncated: ${missing}`, damagedFileHint);
      }
      done += bytesRead;
    }
    return bytes;
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}
