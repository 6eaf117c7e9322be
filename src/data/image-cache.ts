/**
 * The decoded images of one split in memory that all threads share, so that no epoch and no evaluated stitch decodes
 * them again. Images lie at their size before the crop.
 */
import { availableParallelism } from 'node:os';
import type { Sample } from './dataset.js';
import { type Decoding, decodeImage, type RgbImage } from './decode.js';

/** Plain data: can be posted to a worker, which then sees the same memory. */
export interface ImageCache {
  /** memory, shared in pieces because the total is not known before all images are decoded */
  readonly chunks: readonly SharedArrayBuffer[];
  /** where each image lies, in the order of the samples */
  readonly images: readonly CachedImage[];
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
}

const defaultMaximumBytes = 2 * 2 ** 30;
const chunkBytes = 16 * 2 ** 20;
/** after so many images their mean size tells whether the others will fit */
const imagesBeforeForecast = 256;

/**
 * Decodes all samples, several at a time; undefined when they need more than `maximumBytes` (then they are to be
 * decoded each time they are used).
 * @throws RequestError that names the first file that cannot be read or decoded
 */
export async function cacheImages(
  samples: readonly Sample[],
  decoding: Decoding,
  { maximumBytes = defaultMaximumBytes, onProgress }: ImageCacheOptions = {},
): Promise<ImageCache | undefined> {
  const chunks: SharedArrayBuffer[] = [];
  const images: CachedImage[] = new Array(samples.length);
  let reserved = 0;
  let freeFrom = 0;
  let bytes = 0;
  let done = 0;
  let next = 0;
  let failed = false;
  let tooLarge = false;

  const store = (index: number, { width, height, pixels }: RgbImage) => {
    if (chunks.length === 0 || freeFrom + pixels.length > chunks.at(-1)!.byteLength) {
      const length = Math.max(pixels.length, Math.min(chunkBytes, maximumBytes - reserved));
      reserved += length;
      tooLarge ||= reserved > maximumBytes;
      if (tooLarge) return;
      chunks.push(new SharedArrayBuffer(length));
      freeFrom = 0;
    }
    images[index] = { width, height, chunk: chunks.length - 1, offset: freeFrom };
    new Uint8Array(chunks.at(-1)!, freeFrom, pixels.length).set(pixels);
    freeFrom += pixels.length;
  };

  const lane = async () => {
    while (next < samples.length && !failed && !tooLarge) {
      const index = next++;
      const image = await decodeImage(samples[index]!.file, decoding).catch((error: unknown) => {
        failed = true;
        throw error;
      });
      bytes += image.pixels.length;
      done++;
      tooLarge ||= done >= imagesBeforeForecast && (bytes / done) * samples.length > maximumBytes;
      if (tooLarge) return;
      store(index, image);
      onProgress?.(done, samples.length);
    }
  };
  // twice the cores: some lanes wait for files while others decode
  await Promise.all(Array.from({ length: 2 * availableParallelism() }, lane));
  return tooLarge ? undefined : { chunks, images };
}

/** One image of the cache, without a copy. */
export function cachedImage({ chunks, images }: ImageCache, index: number): RgbImage {
  const { width, height, chunk, offset } = images[index]!;
  return { width, height, pixels: new Uint8Array(chunks[chunk]!, offset, width * height * 3) };
}
