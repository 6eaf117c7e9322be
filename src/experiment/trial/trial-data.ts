/** The images of a trial, opened once: every stage of the trial reads the same decoded images. */
import type { Experiment } from '../../config/schema/experiment.js';
import { type BatchLoader, openBatches } from '../../data/batches/batches.js';
import type { Dataset, Sample } from '../../data/dataset.js';
import type { Augmentation, Preprocessing } from '../../data/images/preprocessing.js';
import { trainAndValidation } from '../../data/splits.js';
import { type Architecture, imageInputOf } from '../../models/architecture.js';
import type { Float32NdArray } from '../../shared/arrays.js';
import type { Progress } from '../../shared/progress.js';
import { Random } from '../../shared/random.js';

/** From the experiment's words to those of the data folder; what it leaves out is as the anchors were pretrained. */
export function preprocessingOf({ preprocessing }: Experiment, anchor: Architecture): Preprocessing {
  const { side, preprocessing: pretrained } = imageInputOf(anchor);
  const crop = preprocessing.crop ?? side;
  return {
    resize: { size: preprocessing.resize ?? Math.round((crop * 256) / 224), keepAspect: preprocessing.keep_aspect },
    crop,
    interpolation: preprocessing.interpolation,
    mean: preprocessing.mean ?? pretrained.mean,
    std: preprocessing.std ?? pretrained.std,
  };
}

export interface TrialData {
  /** Shuffled and augmented. */
  readonly train: BatchLoader;
  /** What the final run trains on: the same, or training and validation images together. */
  readonly finalTrain: BatchLoader;
  readonly validation: BatchLoader;
  readonly test: BatchLoader;
  close(): Promise<void>;
}

export async function openTrialData(
  experiment: Experiment,
  { splits }: Dataset,
  anchor: Architecture,
  seed: number,
  progress: Progress,
): Promise<TrialData> {
  const preprocessing = preprocessingOf(experiment, anchor);
  const augmentation: Augmentation = { crop: 'random', flip: experiment.preprocessing.flip };
  const { training, evaluation } = experiment;
  const opened: BatchLoader[] = [];
  const open = async (label: string, samples: readonly Sample[], forTraining: boolean) => {
    progress.start(`decoding ${label} images`, samples.length);
    const loader = await openBatches({
      samples,
      preprocessing,
      ...(forTraining && { augmentation, shuffle: true, lastBatch: 'drop' as const }),
      batchSize: forTraining ? training.batch_size : evaluation.batch_size,
      seed,
      threads: 1,
      onProgress: (done) => progress.update(done),
    });
    progress.stop();
    opened.push(loader);
    return loader;
  };
  try {
    const train = await open('training', splits.train, true);
    const together = training.final_on === 'train+validation';
    return {
      train,
      finalTrain: together ? await open('training and validation', trainAndValidation(splits), true) : train,
      validation: await open('validation', splits.val ?? [], false),
      test: await open('test', splits.test, false),
      close: async () => {
        for (const loader of opened) await loader.close();
      },
    };
  } catch (error) {
    for (const loader of opened) await loader.close();
    throw error;
  }
}

/** Images for the least-squares start: drawn from the training images, prepared as in evaluation. */
export async function fitImages(
  experiment: Experiment,
  { splits }: Dataset,
  anchor: Architecture,
  seed: number,
): Promise<Float32NdArray[]> {
  const samples = Random.of(seed, 'fit images').shuffled(splits.train).slice(0, experiment.stitching.fit_images);
  const preprocessing = preprocessingOf(experiment, anchor);
  const loader = await openBatches({ samples, preprocessing, batchSize: 20, threads: 1 });
  try {
    const batches: Float32NdArray[] = [];
    for await (const { images } of loader.batches()) batches.push(images);
    return batches;
  } finally {
    await loader.close();
  }
}
