/**
 * A copy of all images with a small shorter edge, which makes every later epoch decode a fraction of the pixels.
 *
 * Files keep their name; shrinking is bicubic with antialiasing, smaller images are not enlarged, JPEG quality is 95
 * without chroma subsampling. Results differ slightly from those of the full images, so the splits file records the
 * size.
 */
import { mkdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { exists } from '../../../shared/files.js';
import { forEachLimited } from '../../batches/concurrency.js';
import type { Sample } from '../../dataset.js';
import type { OnActivity } from '../layouts/layout.js';

/** Path of an image in the cache: other formats than JPEG get `.jpg` appended. */
export function cachedFile(file: string, images: string, cache: string): string {
  const copy = path.join(cache, path.relative(images, file));
  return /\.jpe?g$/i.test(copy) ? copy : `${copy}.jpg`;
}

/** Writes the images below `images` that `cache` lacks; complete files appear only (temporary name, then renamed). */
export async function writeTrainingCache(
  samples: readonly Sample[],
  images: string,
  cache: string,
  shorterEdge: number,
  progress: OnActivity,
): Promise<void> {
  const [{ default: sharp }, { decodeImage }] = await Promise.all([import('sharp'), import('../../images/decode.js')]);
  await forEachLimited(samples, async ({ file }, done) => {
    const target = cachedFile(file, images, cache);
    if (!(await exists(target))) {
      const { pixels, width, height } = await decodeImage(file, {
        resize: { size: shorterEdge, keepAspect: true },
        interpolation: 'bicubic',
      });
      await mkdir(path.dirname(target), { recursive: true });
      await sharp(pixels, { raw: { width, height, channels: 3 } })
        .jpeg({ quality: 95, chromaSubsampling: '4:4:4' })
        .toFile(`${target}.tmp`);
      await rename(`${target}.tmp`, target);
    }
    progress(`resizing to ${shorterEdge}`, done, samples.length);
  });
}
