/** The images of a trial, opened once (of texts see experiment/text/text-data.ts): every stage of the trial reads the same decoded images. */
import { type BatchLoader, openBatches, openBatchesFor } from '../../data/batches/batches.js';
import type { Sample, Splits } from '../../data/dataset.js';
import { trainAndValidation } from '../../data/splits.js';
import type { Engine } from '../../engine/engine.js';
import type { Float32NdArray } from '../../shared/arrays.js';
import type { Progress } from '../../shared/progress.js';
import { Random } from '../../shared/random.js';
import type { ImageTrialRecipe, Recipe, TrainingSplit } from '../recipe.js';
import type { TextTrialData } from '../text/text-data.js';

export interface ImageTrialData {
  readonly kind: 'images';
  /** Shuffled and augmented; of the splits that the recipe trains on. */
  training(split: TrainingSplit): BatchLoader;
  /** Prepared as in evaluation. */
  evaluation(split: EvaluationSplit): BatchLoader;
  close(): Promise<void>;
}

/** What a trial learns from. */
export type TrialData = ImageTrialData | TextTrialData;

export type EvaluationSplit = Recipe['choiceSplit' | 'testSplit'];

/** What images are opened with. */
export interface OpeningRuntime {
  readonly engine: Pick<Engine, 'imagesAsBytes'>;
  readonly progress: Progress;
}

/**
 * @param engine what computes with the images
 * @param evaluated splits that are prepared as in evaluation; default all
 */
export async function openTrialData(
  recipe: ImageTrialRecipe,
  splits: Splits,
  { engine, progress }: OpeningRuntime,
  evaluated: readonly EvaluationSplit[] = [recipe.choiceSplit, recipe.testSplit],
): Promise<ImageTrialData> {
  const { images, seed, stages } = recipe;
  const opened = new Map<string, BatchLoader>();
  const close = async () => {
    for (const loader of opened.values()) await loader.close();
  };
  const open = async (split: string, samples: readonly Sample[], isForTraining: boolean) => {
    progress.start(`decoding ${split.replace('+', ' and ')} images`, samples.length);
    const loader = await openBatchesFor(engine, {
      samples,
      preprocessing: images.preprocessing,
      ...(isForTraining && { augmentation: images.augmentation, shuffle: true, lastBatch: 'drop' as const }),
      batchSize: isForTraining ? images.batchSize : images.evaluationBatchSize,
      seed,
      ...(!engine.imagesAsBytes && { threads: 1 }), // the other cores compute
      onProgress: (done) => progress.update(done),
    });
    progress.stop();
    opened.set(split, loader);
  };
  const trained = new Set(stages.flatMap(({ grid, final }) => [...(grid ? [grid.split] : []), final.split]));
  try {
    for (const split of trained) {
      await open(split, split === 'train' ? splits.train : trainAndValidation(splits), true);
    }
    for (const split of evaluated) {
      await open(split, split === recipe.testSplit ? splits.test : (splits.val ?? []), false);
    }
  } catch (error) {
    await close();
    throw error;
  }
  const loaderOf = (split: string) => opened.get(split)!;
  return { kind: 'images', training: loaderOf, evaluation: loaderOf, close };
}

/** Images for the least-squares start: drawn from the training images, prepared as in evaluation. */
export async function fitImages(
  { seed, stitching, images }: Pick<ImageTrialRecipe, 'seed' | 'stitching' | 'images'>,
  { train }: Splits,
): Promise<Float32NdArray[]> {
  const samples = Random.of(seed, 'fit images').shuffled(train).slice(0, stitching.fitImages);
  const loader = await openBatches({ samples, preprocessing: images.preprocessing, batchSize: 20, threads: 1 });
  try {
    const batches: Float32NdArray[] = [];
    for await (const { images } of loader.batches()) batches.push(images);
    return batches;
  } finally {
    await loader.close();
  }
}
