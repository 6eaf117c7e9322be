/**
 * A thread that prepares batches: decodes (or reads the cache), augments and normalises, and hands the memory over. It
 * works on while an engine keeps the main thread busy. Started by `openBatches`.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { isExpected, messageOf, RequestError } from '../../shared/errors.js';
import { Random } from '../../shared/random.js';
import type { Sample } from '../dataset.js';
import { prepareImage } from '../images/augment.js';
import { decodeImage } from '../images/decode.js';
import { cachedImage, type ImageCache } from '../images/image-cache.js';
import type { Augmentation, Preprocessing } from '../images/preprocessing.js';
import { forEachLimited } from './concurrency.js';

/** What a worker knows from the start. */
export interface BatchWorkerData {
  readonly samples: readonly Sample[];
  readonly preprocessing: Preprocessing;
  readonly augmentation: Augmentation | undefined;
  readonly cache: ImageCache;
  readonly seed: number;
}

/** One batch to prepare. */
export interface BatchTask {
  readonly id: number;
  readonly epoch: number;
  readonly indices: readonly number[];
}

/** [batch, crop, crop, 3], or what went wrong: `hint` and `expected` as in shared/errors. */
export type BatchReply =
  | { readonly id: number; readonly images: Float32Array<ArrayBuffer> }
  | { readonly id: number; readonly error: { message: string; hint: string | undefined; expected: boolean } };

const { samples, preprocessing, augmentation, cache, seed } = workerData as BatchWorkerData;

/** Decoded images of a batch that wait to be augmented: as many as sharp decodes at once, whatever their size. */
const imagesInFlight = 4;

async function prepareBatch({ epoch, indices }: BatchTask): Promise<Float32Array<ArrayBuffer>> {
  const length = preprocessing.crop ** 2 * 3;
  const images = new Float32Array(indices.length * length);
  await forEachLimited(
    [...indices.entries()],
    async ([position, index]) => {
      const image = cachedImage(cache, index) ?? (await decodeImage(samples[index]!.file, preprocessing));
      const view = augmentation && { augmentation, random: Random.of(seed, 'augmentation', epoch, index) };
      const output = images.subarray(position * length, (position + 1) * length);
      try {
        prepareImage(image, preprocessing, view, output);
      } catch (error) {
        if (!isExpected(error)) throw error;
        throw new RequestError(`image ${samples[index]!.file}: ${error.message}`, error.hint);
      }
    },
    imagesInFlight,
  );
  return images;
}

parentPort!.on('message', async (task: BatchTask) => {
  try {
    const images = await prepareBatch(task);
    parentPort!.postMessage({ id: task.id, images } satisfies BatchReply, [images.buffer]);
  } catch (error) {
    const expected = isExpected(error);
    const message = expected || !(error instanceof Error) ? messageOf(error) : (error.stack ?? error.message);
    const hint = expected ? error.hint : undefined;
    parentPort!.postMessage({ id: task.id, error: { message, hint, expected } } satisfies BatchReply);
  }
});
