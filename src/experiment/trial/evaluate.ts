/** Accuracy of the stitches of a trained network on one split, percent. The images are decoded once, for all of them. */
import type { BatchLoader } from '../../data/batches/batches.js';
import type { Value } from '../../engine/engine.js';
import { percentRight } from '../../evaluation/accuracy.js';
import { stitchAnswers } from '../../evaluation/stitch-accuracy.js';
import { sharesBlocks, sweepAccuracies } from '../../evaluation/sweep.js';
import type { Trainables } from '../../stitching/parameters/trainables.js';
import { type Runtime, stopIfAborted } from '../../training/runtime.js';
import type { TrialNetwork } from './network.js';

/** One stitch after the other. @returns percent, in the order of `ids` */
export async function accuraciesOf(...args: Parameters<typeof answersOfStitches>): Promise<number[]> {
  return (await answersOfStitches(...args)).map(percentRight);
}

/** One stitch after the other. @returns of each of `ids`, in their order, which images it gets right */
export async function answersOfStitches(
  runtime: Runtime,
  network: TrialNetwork,
  trainables: Trainables<Value>,
  ids: readonly number[],
  loader: BatchLoader,
  label: string,
): Promise<boolean[][]> {
  const { engine, progress } = runtime;
  const answers: boolean[][] = [];
  progress.start(label, ids.length);
  for (const id of ids) {
    stopIfAborted(runtime, label);
    answers.push(await stitchAnswers(engine, network, trainables, network.space.stitches[id]!, loader));
    progress.update(answers.length);
  }
  progress.stop();
  return answers;
}

/** All stitches; common front blocks run once where all adapt them alike. @returns percent, by stitch id */
export async function accuraciesOfAll(
  runtime: Runtime,
  network: TrialNetwork,
  trainables: Trainables<Value>,
  loader: BatchLoader,
  label: string,
): Promise<number[]> {
  const { engine, progress } = runtime;
  if (!sharesBlocks(network.network)) {
    const ids = network.space.stitches.map(({ id }) => id);
    return accuraciesOf(runtime, network, trainables, ids, loader, label);
  }
  progress.start(label, loader.batchesPerEpoch);
  const accuracies = await sweepAccuracies(engine, network, trainables, loader, (batches) => {
    stopIfAborted(runtime, label);
    progress.update(batches);
  });
  progress.stop();
  return accuracies;
}
