/** Accuracy of the stitches of a trained palette on one split, percent. The images are decoded once, for all of them. */
import type { BatchLoader } from '../../data/batches/batches.js';
import type { Engine, Value } from '../../engine/engine.js';
import { stitchAccuracy } from '../../evaluation/stitch-accuracy.js';
import { sharesBlocks, sweepAccuracies } from '../../evaluation/sweep.js';
import { Interrupted } from '../../shared/errors.js';
import type { Progress } from '../../shared/progress.js';
import type { Trainables } from '../../stitching/parameters/trainables.js';
import type { Palette } from './palette.js';

export interface EvaluationContext {
  readonly engine: Engine;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** One stitch after the other. @returns percent, in the order of `ids` */
export async function accuraciesOf(
  { engine, progress, signal }: EvaluationContext,
  palette: Palette,
  trainables: Trainables<Value>,
  ids: readonly number[],
  loader: BatchLoader,
  label: string,
): Promise<number[]> {
  const accuracies: number[] = [];
  progress.start(label, ids.length);
  for (const id of ids) {
    if (signal.aborted) throw new Interrupted(`stopped in ${label}; what was trained is saved`);
    accuracies.push(await stitchAccuracy(engine, palette, trainables, palette.space.stitches[id]!, loader));
    progress.update(accuracies.length);
  }
  progress.stop();
  return accuracies;
}

/** All stitches; common front blocks run once where all adapt them alike. @returns percent, by stitch id */
export async function sweepPalette(
  context: EvaluationContext,
  palette: Palette,
  trainables: Trainables<Value>,
  loader: BatchLoader,
  label: string,
): Promise<number[]> {
  const { engine, progress, signal } = context;
  if (!sharesBlocks(palette.network)) {
    const ids = palette.space.stitches.map(({ id }) => id);
    return accuraciesOf(context, palette, trainables, ids, loader, label);
  }
  progress.start(label, loader.batchesPerEpoch);
  const accuracies = await sweepAccuracies(engine, palette, trainables, loader, (batches) => {
    if (signal.aborted) throw new Interrupted(`stopped in ${label}; what was trained is saved`);
    progress.update(batches);
  });
  progress.stop();
  return accuracies;
}
