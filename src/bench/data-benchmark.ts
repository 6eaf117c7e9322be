/**
 * How fast images reach a network, as experiments train: decoding JPEGs, the shorter edge to 256 for crops of 224, random
 * crops, flips and normalisation. The first epoch is timed with everything that the loader does before it; where the
 * decoded images fit into the cache, that is decoding all of them.
 */

import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { openBatchesFor } from '../data/batches/batches.js';
import type { Sample } from '../data/dataset.js';
import { inceptionNormalisation } from '../data/images/preprocessing.js';
import { oneDecimal } from '../shared/costs/numbers.js';
import { RequestError } from '../shared/errors.js';
import { Random } from '../shared/random.js';

export interface DataBenchmarkOptions {
  readonly batchSize: number;
  /** Side in pixels of what reaches the network. */
  readonly size: number;
  /** Threads that decode and augment. */
  readonly threads: number;
  readonly epochs: number;
  /** Whether images stay bytes, as a card gets them; default false. */
  readonly bytes?: boolean;
  /** Bound of the memory for decoded images; 0 decodes them again in every epoch. */
  readonly cacheBytes: number;
}

export interface EpochTiming {
  readonly epoch: number;
  readonly images_per_second: number;
  /** Of processor time of this process, all threads: what a loaded machine does not distort. */
  readonly images_per_cpu_second: number;
  /** Share of the images that were not decoded in this epoch. */
  readonly cache_hit_rate: number;
}

/** @throws RequestError when an image cannot be decoded, or when they are fewer than a batch */
export async function benchmarkData(
  files: readonly string[],
  { batchSize, size, threads, epochs, bytes = false, cacheBytes }: DataBenchmarkOptions,
): Promise<EpochTiming[]> {
  let start = now();
  const loader = await openBatchesFor(
    { imagesAsBytes: bytes },
    {
      samples: files.map((file): Sample => ({ file, label: 0 })),
      preprocessing: {
        resize: { size: Math.round((size * 256) / 224), keepAspect: true },
        crop: size,
        interpolation: 'bicubic',
        ...inceptionNormalisation,
      },
      augmentation: { crop: 'random', flip: true },
      batchSize,
      shuffle: true,
      threads,
      cacheBytes,
    },
  );
  const kept = loader.cache.images.filter(Boolean).length / files.length;
  const timings: EpochTiming[] = [];
  for (let epoch = 0; epoch < epochs; epoch++) {
    let images = 0;
    // One epoch at a time: what is prepared ahead must not belong to the next one.
    for await (const { indices } of loader.batches({ epoch })) images += indices.length;
    const end = now();
    timings.push({
      epoch,
      images_per_second: oneDecimal(images / (end.seconds - start.seconds)),
      images_per_cpu_second: oneDecimal(images / (end.cpuSeconds - start.cpuSeconds)),
      cache_hit_rate: epoch > 0 ? kept : 0,
    });
    start = end;
  }
  await loader.close();
  return timings;
}

/**
 * The first `limit` JPEGs below `folder`, by name.
 * @throws RequestError when there are none
 */
export async function listJpegs(folder: string, limit: number): Promise<string[]> {
  const names = await readdir(folder, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    throw new RequestError(
      `--folder ${folder} cannot be listed (${error.code})`,
      'Name a folder that holds JPEG images.',
    );
  });
  const images = names.filter((name) => /\.jpe?g$/i.test(name)).sort();
  if (images.length === 0) {
    throw new RequestError(
      `--folder ${folder} holds no .jpg or .jpeg files (${names.length} other entries)`,
      'Name a folder that holds JPEG images, also in folders of its own; without --folder some are drawn.',
    );
  }
  return images.slice(0, limit).map((name) => path.join(folder, name));
}

/**
 * Writes `count` JPEGs of 500 x 375 pixels, the most common size in ImageNet, into `folder`: soft noise with some grain,
 * whose files are about as large as those of photographs (100 kB).
 */
export async function drawJpegs(folder: string, count: number): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const [width, height, coarseness] = [500, 375, 5];
  const coarse = { width: width / coarseness, height: height / coarseness, channels: 3 as const };
  const files: string[] = [];
  for (let index = 0; index < count; index++) {
    const random = Random.of(0, 'data-benchmark', index);
    const noise = Uint8Array.from({ length: coarse.width * coarse.height * 3 }, () => random.integer(256));
    const grain = { type: 'gaussian', mean: 128, sigma: 12 } as const;
    const file = path.join(folder, `${index}.jpg`);
    await sharp(noise, { raw: coarse })
      .resize(width, height, { kernel: 'cubic' })
      .composite([
        {
          input: await sharp({ create: { width, height, channels: 3, background: 'grey', noise: grain } })
            .png()
            .toBuffer(),
          blend: 'soft-light',
        },
      ])
      .jpeg({ quality: 90 })
      .toFile(file);
    files.push(file);
  }
  return files;
}

function now(): { seconds: number; cpuSeconds: number } {
  const { user, system } = process.cpuUsage();
  return { seconds: performance.now() / 1000, cpuSeconds: (user + system) / 1e6 };
}
