/** How good the stitches of a trained network are, whatever their data set. */
import type { Value } from '../../engine/engine.js';
import type { Quality } from '../../evaluation/quality.js';
import { stitchTextQuality } from '../../evaluation/stitch-accuracy.js';
import type { Trainables } from '../../stitching/parameters/trainables.js';
import { type Runtime, stopIfAborted } from '../../training/runtime.js';
import { accuraciesOf, accuraciesOfAll } from './evaluate.js';
import type { TrialNetwork } from './network.js';
import type { EvaluationSplit, TrialData } from './trial-data.js';

interface EvaluationContext extends Runtime {
  readonly data: TrialData;
}

/** One stitch after the other. @returns in the order of `ids` */
export async function qualitiesOf(
  context: EvaluationContext,
  network: TrialNetwork,
  trainables: Trainables<Value>,
  ids: readonly number[],
  split: EvaluationSplit,
  label: string,
): Promise<Quality[]> {
  const { engine, progress, data } = context;
  if (data.kind !== 'texts') {
    return asQualities(await accuraciesOf(context, network, trainables, ids, data.evaluation(split), label));
  }
  const qualities: Quality[] = [];
  progress.start(label, ids.length);
  for (const id of ids) {
    stopIfAborted(context, label);
    const stitch = network.space.stitches[id]!;
    qualities.push(await stitchTextQuality(engine, network, trainables, stitch, data.evaluation(split)));
    progress.update(qualities.length);
  }
  progress.stop();
  return qualities;
}

/** All stitches. @returns by stitch id */
export async function qualitiesOfAll(
  context: EvaluationContext,
  network: TrialNetwork,
  trainables: Trainables<Value>,
  split: EvaluationSplit,
  label: string,
): Promise<Quality[]> {
  const { data } = context;
  if (data.kind !== 'texts') {
    return asQualities(await accuraciesOfAll(context, network, trainables, data.evaluation(split), label));
  }
  const ids = network.space.stitches.map(({ id }) => id);
  return qualitiesOf(context, network, trainables, ids, split, label);
}

function asQualities(accuracies: readonly number[]): Quality[] {
  return accuracies.map((accuracy) => ({ accuracy }));
}
