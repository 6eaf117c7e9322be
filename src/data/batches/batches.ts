/**
 * Batches of one split, prepared ahead on other threads. Engines keep the main thread busy for up to a second at a
 * time; meanwhile the threads fill the next few batches, so that training never waits for images.
 *
 * What a batch holds depends on the seed and the position (epoch, batch) alone: not on the number of threads, on how
 * far ahead they work, or on where an interrupted run went on.
 */
import { availableParallelism } from 'node:os';
import {
  type Float32NdArray,
  float32,
  type Int32NdArray,
  int32,
  type Uint8NdArray,
  uint8,
} from '../../shared/arrays.js';
import { RequestError } from '../../shared/errors.js';
import { Random } from '../../shared/random.js';
import type { Sample } from '../dataset.js';
import { cacheImages, type ImageCache } from '../images/image-cache.js';
import type { Augmentation, Preprocessing } from '../images/preprocessing.js';
import { BatchPool } from './batch-pool.js';
import type { ImageForm, PreparedImages } from './batch-worker.js';
import { type BatchImages, factorNumbers, type PixelImages } from './pixel-images.js';
import { viewNumbers } from './raw-images.js';

export interface BatchOptions {
  readonly samples: readonly Sample[];
  readonly preprocessing: Preprocessing;
  /** left out: every image is prepared as in evaluation */
  readonly augmentation?: Augmentation;
  readonly batchSize: number;
  /** true draws a new order every epoch, default false: the order of the samples */
  readonly shuffle?: boolean;
  /** of the order and the augmentation, default 0 */
  readonly seed?: number;
  /** what happens to the last batch when it is not full: drop it (training) or keep it short (evaluation, default) */
  readonly lastBatch?: 'drop' | 'keep';
  /** threads that prepare, default: the cores but one, 1 to 4 */
  readonly threads?: number;
  /** batches prepared ahead, default 4 */
  readonly prefetch?: number;
  /** limit of the memory for decoded images, default 2 GiB; what does not fit is decoded anew in every epoch */
  readonly cacheBytes?: number;
  /** images decoded so far, while the cache is filled */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Where a batch stands, and what it is of. */
interface BatchPlace {
  /** from 0; the position from which `batches` can go on is the one after it */
  readonly epoch: number;
  /** from 0 within the epoch */
  readonly index: number;
  /** [batch] */
  readonly labels: Int32NdArray;
  /** positions in `samples` */
  readonly indices: readonly number[];
}

export interface Batch<Images extends BatchImages = BatchImages> extends BatchPlace {
  readonly images: Images;
}

/** Images as they are, to be cropped, mirrored and normalised on the device. */
export interface RawBatch extends BatchPlace {
  /** [batch, crop, crop, 3] */
  readonly images: Uint8NdArray;
  /** What is to be seen of each: [batch, viewNumbers], see raw-images.ts. */
  readonly views: Float32NdArray;
}

/** Where to begin, and for how many epochs to go on (default one). */
export interface BatchRange {
  readonly epoch?: number;
  readonly index?: number;
  readonly epochs?: number;
}

/** A split, ready to be read again and again. */
export class BatchLoader<Of extends BatchPlace = Batch> {
  /** Use `openBatches`, `openPixelBatches` or `openRawBatches`. */
  constructor(
    private readonly options: BatchOptions,
    private readonly pool: BatchPool,
    readonly cache: ImageCache,
    private readonly assemble: (place: BatchPlace, prepared: PreparedImages) => Of,
  ) {}

  get batchesPerEpoch(): number {
    const { samples, batchSize, lastBatch = 'keep' } = this.options;
    return lastBatch === 'keep' ? Math.ceil(samples.length / batchSize) : Math.floor(samples.length / batchSize);
  }

  /**
   * Batches in order, prepared ahead across the ends of epochs. Leaving the loop early is fine.
   * @throws RequestError when an image cannot be read or decoded
   */
  async *batches({ epoch = 0, index = 0, epochs = 1 }: BatchRange = {}): AsyncGenerator<Of, void, void> {
    const { prefetch = 4 } = this.options;
    const ahead: { readonly batch: PlannedBatch; readonly images: Promise<PreparedImages> }[] = [];
    const enqueue = (batch: PlannedBatch) => {
      ahead.push({ batch, images: this.pool.prepare(batch.epoch, batch.indices) });
    };
    const plan = this.plan(epoch, index, epoch + epochs);
    for (const batch of plan) {
      enqueue(batch);
      if (ahead.length <= prefetch) continue;
      const { batch: ready, images } = ahead.shift()!;
      yield this.assemble(this.placed(ready), await images);
    }
    for (const { batch, images } of ahead) yield this.assemble(this.placed(batch), await images);
  }

  /** Ends the threads. */
  async close(): Promise<void> {
    await this.pool.close();
  }

  private *plan(epoch: number, index: number, endEpoch: number): Generator<PlannedBatch, void, void> {
    const { batchSize } = this.options;
    for (let at = epoch; at < endEpoch; at++) {
      const order = this.order(at);
      for (let batch = at === epoch ? index : 0; batch < this.batchesPerEpoch; batch++) {
        yield { epoch: at, index: batch, indices: order.slice(batch * batchSize, (batch + 1) * batchSize) };
      }
    }
  }

  private order(epoch: number): readonly number[] {
    const { samples, shuffle = false, seed = 0 } = this.options;
    const order = [...samples.keys()];
    return shuffle ? Random.of(seed, 'order', epoch).shuffled(order) : order;
  }

  private placed(batch: PlannedBatch): BatchPlace {
    const labels = Int32Array.from(batch.indices, (sample) => this.options.samples[sample]!.label);
    return { ...batch, labels: int32([labels.length], labels) };
  }
}

type PlannedBatch = Omit<BatchPlace, 'labels'>;

/**
 * Decodes as much of the split as fits into memory, and starts the threads. Close the loader when done.
 * A split without samples has no batches: validation images that nothing is chosen on may be missing.
 * @throws RequestError when images cannot be decoded, or when there are too few samples for a whole batch of training
 */
export async function openBatches(options: BatchOptions): Promise<BatchLoader<Batch<Float32NdArray>>> {
  const { crop } = options.preprocessing;
  return open(options, 'normalised', (place, { images }) => ({
    ...place,
    images: float32([place.indices.length, crop, crop, 3], images as Float32Array),
  }));
}

/** As `openBatches`, of the same views as bytes, for an engine that normalises them. */
export async function openPixelBatches(options: BatchOptions): Promise<BatchLoader<Batch<PixelImages>>> {
  const { crop, mean, std } = options.preprocessing;
  return open(options, 'bytes', (place, { images, numbers }) => ({
    ...place,
    images: {
      pixels: uint8([place.indices.length, crop, crop, 3], images as Uint8Array),
      ...(numbers && { factors: float32([place.indices.length, factorNumbers], numbers) }),
      ...{ mean, std },
    },
  }));
}

/** Batches in the form in which images best reach an engine. */
export function openBatchesFor(
  { imagesAsBytes }: { readonly imagesAsBytes?: boolean },
  options: BatchOptions,
): Promise<BatchLoader> {
  return imagesAsBytes ? openPixelBatches(options) : openBatches(options);
}

/** As `openBatches`, of images that a program prepares on the device: bytes, and what is to be seen of them. */
export async function openRawBatches(options: BatchOptions): Promise<BatchLoader<RawBatch>> {
  const { crop } = options.preprocessing;
  return open(options, 'raw', (place, { images, numbers }) => ({
    ...place,
    images: uint8([place.indices.length, crop, crop, 3], images as Uint8Array),
    views: float32([place.indices.length, viewNumbers], numbers),
  }));
}

async function open<Of extends BatchPlace>(
  options: BatchOptions,
  form: ImageForm,
  assemble: (place: BatchPlace, prepared: PreparedImages) => Of,
): Promise<BatchLoader<Of>> {
  const { samples, preprocessing, augmentation, batchSize, seed = 0, lastBatch = 'keep' } = options;
  const { threads = Math.min(4, Math.max(1, availableParallelism() - 1)), cacheBytes, onProgress } = options;
  if (lastBatch === 'drop' && samples.length < batchSize) {
    throw new RequestError(
      `${samples.length} images do not fill a batch of ${batchSize}`,
      'Choose a smaller batch size, or a split with more images.',
    );
  }
  const cache = await cacheImages(samples, preprocessing, {
    ...(cacheBytes !== undefined && { maximumBytes: cacheBytes }),
    ...(onProgress && { onProgress }),
  });
  const pool = new BatchPool(threads, { samples, preprocessing, augmentation, cache, seed, form });
  return new BatchLoader(options, pool, cache, assemble);
}
