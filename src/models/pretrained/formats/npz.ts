/**
 * Archives of numpy arrays (`numpy.savez`, `numpy.savez_compressed`): a ZIP file whose members are `<name>.npy`. Google
 * published the AugReg vision transformers so.
 */
import { buffer } from 'node:stream/consumers';
import { crc32 } from 'node:zlib';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import type { Float32NdArray } from '../../../shared/arrays.js';
import { messageOf, RequestError } from '../../../shared/errors.js';
import { InvalidNpy, parseNpy, UnsupportedNpy } from './npy.js';
import { damagedFileHint, RangeReader } from './range-reader.js';
import type { Weights } from './weights.js';

/** The largest array of a published vision transformer (ViT-G/14, an MLP's weight) has 54 MB. */
const arrayLimit = 2 ** 30;

/** Reads the list of members; arrays are then read one by one. The caller closes it. */
export async function openNpz(file: string): Promise<Weights> {
  await (await RangeReader.open(file)).close(); // a missing file is not a damaged archive
  const archive = await openPromise(file, { lazyEntries: true, autoClose: false }).catch((error: unknown) => {
    throw damaged(file, messageOf(error));
  });
  try {
    const entries = new Map<string, Entry>();
    for await (const entry of archive.eachEntry()) {
      const name = entry.fileName.replace(/\.npy$/, '');
      if (entries.has(name)) throw new Error(`two arrays are named ${name}`);
      entries.set(name, entry);
    }
    return new NpzFile(file, archive, entries);
  } catch (error) {
    archive.close();
    throw damaged(file, messageOf(error));
  }
}

class NpzFile implements Weights {
  readonly names: ReadonlySet<string>;

  constructor(
    readonly location: string,
    private readonly archive: ZipFile,
    private readonly entries: ReadonlyMap<string, Entry>,
  ) {
    this.names = new Set(entries.keys());
  }

  async read(name: string): Promise<Float32NdArray> {
    const entry = this.entries.get(name);
    if (!entry) throw new RequestError(`${this.location} has no array ${name}`);
    const bytes = await this.unpack(name, entry);
    try {
      return parseNpy(bytes);
    } catch (error) {
      if (!(error instanceof InvalidNpy)) throw error;
      const hint = error instanceof UnsupportedNpy ? error.hint : damagedFileHint;
      throw new RequestError(`${this.location}: array ${name} cannot be read: ${error.message}`, hint);
    }
  }

  async close(): Promise<void> {
    this.archive.close();
  }

  private async unpack(name: string, entry: Entry): Promise<Uint8Array<ArrayBuffer>> {
    if (entry.uncompressedSize > arrayLimit) {
      throw new RequestError(
        `${this.location}: array ${name} would take ${entry.uncompressedSize} bytes; at most ${arrayLimit} are read`,
        'No array of a vision transformer is as large. Is it the right file?',
      );
    }
    let bytes: Buffer<ArrayBuffer>;
    try {
      // An array that inflates beyond the size that the archive states ends the stream with an error.
      bytes = await buffer(await this.archive.openReadStreamPromise(entry));
    } catch (error) {
      throw damaged(this.location, `array ${name}: ${messageOf(error)}`);
    }
    if (crc32(bytes) !== entry.crc32) throw damaged(this.location, `array ${name}: its checksum does not fit`);
    return bytes;
  }
}

function damaged(file: string, reason: string): RequestError {
  return new RequestError(`${file} is not a valid npz archive: ${reason}`, damagedFileHint);
}
