/** How the images of a pretraining reach its steps. */
import type { ImagePretraining } from '../../config/schema/pretraining.js';
import type { BatchOptions } from '../../data/batches/batches.js';
import type { Dataset } from '../../data/dataset.js';
import type { Preprocessing } from '../../data/images/preprocessing.js';
import type { Progress } from '../../shared/progress.js';

/** Random views of the training images in an order of their own for each epoch. */
export function trainingOptions(
  { seed, training }: Pick<ImagePretraining, 'seed' | 'training'>,
  { splits: { train: samples } }: Dataset,
  preprocessing: Preprocessing,
  progress: Progress,
): BatchOptions {
  const { crop_scale: scale, flip, color_jitter: jitter } = training.augmentation;
  return {
    samples,
    preprocessing,
    augmentation: {
      crop: { scale, ratio: [3 / 4, 4 / 3] },
      flip,
      ...(jitter > 0 && { jitter: { brightness: jitter, contrast: jitter, saturation: jitter } }),
    },
    batchSize: training.batch_size,
    shuffle: true,
    seed,
    lastBatch: 'drop',
    onProgress: counted(progress, 'decoding training images', samples.length),
  };
}

/** Whole images, in their order. */
export function validationOptions({ splits }: Dataset, preprocessing: Preprocessing, progress: Progress): BatchOptions {
  const samples = splits.val ?? splits.test;
  const onProgress = counted(progress, 'decoding validation images', samples.length);
  return { samples, preprocessing, batchSize: 200, onProgress };
}

function counted(progress: Progress, label: string, total: number): (done: number) => void {
  progress.start(label, total);
  return (done) => progress.update(done);
}
