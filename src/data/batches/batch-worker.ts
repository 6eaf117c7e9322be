/**
 * A thread that prepares batches: decodes (or reads the cache), augments and normalises, and hands the memory over. It
 * works on while an engine keeps the main thread busy. Started by `openBatches`.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { isExpected, messageOf, RequestError } from '../../shared/errors.js';
import { Random } from '../../shared/random.js';
import type { Sample } from '../dataset.js';
import { prepareBytes, prepareImage, type RandomView } from '../images/augment.js';
import { decodeImage } from '../images/decode.js';
import { cachedImage, type ImageCache } from '../images/image-cache.js';
import type { Augmentation, Preprocessing, RgbImage } from '../images/preprocessing.js';
import { forEachLimited } from './concurrency.js';
import { factorNumbers } from './pixel-images.js';
import { viewNumbers, writeRawImage, writeView } from './raw-images.js';

/**
 * What images become: `normalised` numbers; `bytes` of their views, beside the factors of their colours; `raw` bytes as they are,
 * beside the views that are to be made of them.
 */
export type ImageForm = 'normalised' | 'bytes' | 'raw';

/** What a worker knows from the start. */
export interface BatchWorkerData {
  readonly samples: readonly Sample[];
  readonly preprocessing: Preprocessing;
  readonly augmentation: Augmentation | undefined;
  readonly cache: ImageCache;
  readonly seed: number;
  readonly form: ImageForm;
}

/** One batch to prepare. */
export interface BatchTask {
  readonly id: number;
  readonly epoch: number;
  readonly indices: readonly number[];
}

/** A batch of images, [batch, crop, crop, 3]. */
export interface PreparedImages {
  /** Normalised, or bytes. */
  readonly images: Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;
  /** Beside raw bytes [batch, viewNumbers]; beside others [batch, factorNumbers], where colours are changed. */
  readonly numbers?: Float32Array<ArrayBuffer>;
}

/** What was asked for, or what went wrong: `hint` and `expected` as in shared/errors. */
export type BatchReply =
  | { readonly id: number; readonly prepared: PreparedImages }
  | { readonly id: number; readonly error: { message: string; hint: string | undefined; expected: boolean } };

const { samples, preprocessing, augmentation, cache, seed, form } = workerData as BatchWorkerData;

/** Decoded images of a batch that wait to be augmented: as many as sharp decodes at once, whatever their size. */
const imagesInFlight = 4;

async function forEachImage(
  { epoch, indices }: BatchTask,
  use: (position: number, image: RgbImage, view: RandomView | undefined) => void,
): Promise<void> {
  await forEachLimited(
    [...indices.entries()],
    async ([position, index]) => {
      const image = cachedImage(cache, index) ?? (await decodeImage(samples[index]!.file, preprocessing));
      const view = augmentation && { augmentation, random: Random.of(seed, 'augmentation', epoch, index) };
      try {
        use(position, image, view);
      } catch (error) {
        if (!isExpected(error)) throw error;
        throw new RequestError(`image ${samples[index]!.file}: ${error.message}`, error.hint);
      }
    },
    imagesInFlight,
  );
}

const imageLength = preprocessing.crop ** 2 * 3;

async function preparedImages(task: BatchTask): Promise<PreparedImages> {
  const images = new Float32Array(task.indices.length * imageLength);
  await forEachImage(task, (position, image, view) =>
    prepareImage(image, preprocessing, view, images.subarray(position * imageLength, (position + 1) * imageLength)),
  );
  return { images };
}

async function imageBytes(task: BatchTask): Promise<PreparedImages> {
  const images = new Uint8Array(task.indices.length * imageLength);
  const numbers = augmentation?.jitter && new Float32Array(task.indices.length * factorNumbers);
  await forEachImage(task, (position, image, view) => {
    const bytes = images.subarray(position * imageLength, (position + 1) * imageLength);
    const jitter = prepareBytes(image, preprocessing, view, bytes);
    if (jitter) numbers!.set([jitter.brightness, jitter.contrast, jitter.saturation], position * factorNumbers);
  });
  return { images, ...(numbers && { numbers }) };
}

async function rawImages(task: BatchTask): Promise<PreparedImages> {
  const images = new Uint8Array(task.indices.length * imageLength);
  const views = new Float32Array(task.indices.length * viewNumbers);
  await forEachImage(task, (position, image, view) => {
    writeRawImage(image, preprocessing, images.subarray(position * imageLength, (position + 1) * imageLength));
    writeView(image, preprocessing, view, views.subarray(position * viewNumbers, (position + 1) * viewNumbers));
  });
  return { images, numbers: views };
}

const prepared = { normalised: preparedImages, bytes: imageBytes, raw: rawImages }[form];

parentPort!.on('message', async (task: BatchTask) => {
  try {
    const made = await prepared(task);
    const memory = [made.images.buffer, ...(made.numbers ? [made.numbers.buffer] : [])];
    parentPort!.postMessage({ id: task.id, prepared: made } satisfies BatchReply, memory);
  } catch (error) {
    const expected = isExpected(error);
    const message = expected || !(error instanceof Error) ? messageOf(error) : (error.stack ?? error.message);
    const hint = expected ? error.hint : undefined;
    parentPort!.postMessage({ id: task.id, error: { message, hint, expected } } satisfies BatchReply);
  }
});
