/** A thread that decodes images of a split, block by block. Started by `DecodePool`. */
import { parentPort, workerData } from 'node:worker_threads';
import { isExpected, messageOf } from '../../shared/errors.js';
import { forEachLimited } from '../batches/concurrency.js';
import { type Decoding, decodeImage } from './decode.js';
import type { RgbImage } from './preprocessing.js';

/** Files to decode. */
export interface DecodeTask {
  readonly id: number;
  readonly files: readonly string[];
}

/** An image, or what is wrong with its file: `hint` as in shared/errors. */
export type Decoded = RgbImage | { readonly problem: string; readonly hint: string | undefined };

/** What each file holds, in their order; or a bug. */
export type DecodeReply =
  | { readonly id: number; readonly decoded: readonly Decoded[] }
  | { readonly id: number; readonly failure: string };

const decoding = workerData as Decoding;

async function decodedOf(file: string): Promise<Decoded> {
  try {
    const { width, height, pixels } = await decodeImage(file, decoding);
    // Pixels may be part of a larger buffer: a message copies all of it.
    return { width, height, pixels: Uint8Array.from(pixels) };
  } catch (error) {
    if (!isExpected(error)) throw error;
    return { problem: error.message, hint: error.hint };
  }
}

parentPort!.on('message', async ({ id, files }: DecodeTask) => {
  try {
    const decoded: Decoded[] = new Array(files.length);
    await forEachLimited([...files.entries()], async ([index, file]) => {
      decoded[index] = await decodedOf(file);
    });
    const memory = decoded.flatMap((image) => ('pixels' in image ? [image.pixels.buffer as ArrayBuffer] : []));
    parentPort!.postMessage({ id, decoded } satisfies DecodeReply, memory);
  } catch (error) {
    parentPort!.postMessage({ id, failure: messageOf(error) } satisfies DecodeReply);
  }
});
