/** A thread that decodes images of a split, block by block. Started by `DecodePool`. */
import { parentPort, workerData } from 'node:worker_threads';
import { messageOf } from '../../shared/errors.js';
import { forEachLimited } from '../batches/concurrency.js';
import { type Decoded, type Decoding, decodedOrProblem } from './decode.js';

/** Files to decode. */
export interface DecodeTask {
  readonly id: number;
  readonly files: readonly string[];
}

/** What each file holds, in their order; or a bug. */
export type DecodeReply =
  | { readonly id: number; readonly decoded: readonly Decoded[] }
  | { readonly id: number; readonly failure: string };

const decoding = workerData as Decoding;

parentPort!.on('message', async ({ id, files }: DecodeTask) => {
  try {
    const decoded: Decoded[] = new Array(files.length);
    await forEachLimited([...files.entries()], async ([index, file]) => {
      const image = await decodedOrProblem(file, decoding);
      // Pixels may be part of a larger buffer: a message copies all of it.
      decoded[index] = 'pixels' in image ? { ...image, pixels: Uint8Array.from(image.pixels) } : image;
    });
    const memory = decoded.flatMap((image) => ('pixels' in image ? [image.pixels.buffer as ArrayBuffer] : []));
    parentPort!.postMessage({ id, decoded } satisfies DecodeReply, memory);
  } catch (error) {
    parentPort!.postMessage({ id, failure: messageOf(error) } satisfies DecodeReply);
  }
});
