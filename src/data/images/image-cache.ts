/**
 * Decoded images of one split in memory that all threads share, so that no epoch and no evaluated stitch decodes them
 * again. Images lie at their size before the crop. Of a split that is larger than the bound, the first images are kept;
 * the others are decoded once all the same, so that a damaged image is found now and not after a training.
 */
import { availableParallelism } from 'node:os';
import { RequestError } from '../../shared/errors.js';
import type { Sample } from '../dataset.js';
import { type Decoding, decodedOrProblem } from './decode.js';
import { DecodePool } from './decode-pool.js';
import type { RgbImage } from './preprocessing.js';

/** Plain data: can be posted to a worker, which then sees the same memory. */
export interface ImageCache {
  /** memory, shared in pieces because the total is not known before all images are decoded */
  readonly chunks: readonly SharedArrayBuffer[];
  /** where each image lies, in the order of the samples; missing where it did not fit */
  readonly images: readonly (CachedImage | undefined)[];
}

interface CachedImage {
  readonly width: number;
  readonly height: number;
  readonly chunk: number;
  readonly offset: number;
}

export interface ImageCacheOptions {
  /** of all chunks together, default 2 GiB */
  readonly maximumBytes?: number;
  /** called after every decoded image */
  readonly onProgress?: (done: number, total: number) => void;
  /** that decode; default: the cores where there are many images and more than two of them, else 0, none beside this one */
  readonly threads?: number;
}

const defaultMaximumBytes = 2 * 2 ** 30;
/** Unreadable images that a message names. */
const mostNamed = 20;
const chunkBytes = 16 * 2 ** 20;
/** Images that are worth the start of threads. */
const manyImages = 4000;
/** Images that a thread decodes for one message. */
const blockLength = 32;

/**
 * Decodes samples from the first on, several at a time. What does not fit is to be decoded each time it is used.
 * @throws RequestError that names the files that cannot be read or decoded
 */
export async function cacheImages(
  samples: readonly Sample[],
  decoding: Decoding,
  options: ImageCacheOptions = {},
): Promise<ImageCache> {
  const { maximumBytes = defaultMaximumBytes, onProgress } = options;
  const chunks: SharedArrayBuffer[] = [];
  const images: (CachedImage | undefined)[] = new Array(samples.length).fill(undefined);
  let reserved = 0;
  let freeFrom = 0;
  let done = 0;
  let next = 0;
  let isFull = false;
  let ended = maximumBytes <= 0;
  const unreadable: Unreadable[] = [];

  /** @returns whether it fitted */
  const store = (index: number, { width, height, pixels }: RgbImage): boolean => {
    if (chunks.length === 0 || freeFrom + pixels.length > chunks.at(-1)!.byteLength) {
      // Small splits take what they need, were all images as large as this one: memory is filled with zeros first.
      const wanted = Math.min(chunkBytes, pixels.length * (samples.length - index));
      const length = Math.max(pixels.length, Math.min(wanted, maximumBytes - reserved));
      if (reserved + length > maximumBytes) return false;
      reserved += length;
      chunks.push(new SharedArrayBuffer(length));
      freeFrom = 0;
    }
    images[index] = { width, height, chunk: chunks.length - 1, offset: freeFrom };
    new Uint8Array(chunks.at(-1)!, freeFrom, pixels.length).set(pixels);
    freeFrom += pixels.length;
    return true;
  };

  const cores = availableParallelism();
  const { threads = samples.length >= manyImages && cores > 2 ? cores : 0 } = options;
  const pool = threads > 0 ? new DecodePool(threads, decoding) : undefined;
  const decode = (indices: readonly number[]) => {
    const files = indices.map((index) => samples[index]!.file);
    return pool ? pool.decode(files) : Promise.all(files.map((file) => decodedOrProblem(file, decoding)));
  };
  const lane = async () => {
    while (next < samples.length && !ended) {
      const indices = Array.from({ length: Math.min(pool ? blockLength : 1, samples.length - next) }, () => next++);
      try {
        for (const [at, decoded] of (await decode(indices)).entries()) {
          const index = indices[at]!;
          if ('problem' in decoded) unreadable.push({ index, error: new RequestError(decoded.problem, decoded.hint) });
          else if (!isFull) isFull = !store(index, decoded);
          onProgress?.(++done, samples.length);
        }
      } catch (error) {
        ended = true;
        throw error;
      }
    }
  };
  try {
    // twice the cores: some lanes wait for files while others decode
    await Promise.all(Array.from({ length: 2 * (threads || cores) }, lane));
  } finally {
    await pool?.close();
  }
  if (unreadable.length > 0) throw refusalOf(unreadable, samples.length);
  return { chunks, images };
}

interface Unreadable {
  readonly index: number;
  readonly error: Error;
}

/** All at once: a user mends a data set in one go, not image by image. */
function refusalOf(unreadable: readonly Unreadable[], total: number): RequestError {
  const messages = [...unreadable].sort((a, b) => a.index - b.index).map(({ error }) => error.message);
  const shown = messages.slice(0, mostNamed).map((message) => `  ${message}`);
  const others = messages.length > mostNamed ? [`  and ${messages.length - mostNamed} more`] : [];
  return new RequestError(
    messages.length === 1
      ? messages[0]!
      : [`${messages.length} of ${total} images cannot be read:`, ...shown, ...others].join('\n'),
    'Restore them from their source, or remove them. esta data check NAME --root DIR looks through all splits, also of an image-folder.',
  );
}

/** One image of the cache, without a copy; undefined when it is not in it. */
export function cachedImage({ chunks, images }: ImageCache, index: number): RgbImage | undefined {
  const image = images[index];
  if (!image) return undefined;
  const { width, height, chunk, offset } = image;
  return { width, height, pixels: new Uint8Array(chunks[chunk]!, offset, width * height * 3) };
}
