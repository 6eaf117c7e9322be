/** Which stitches of a trained network are best for bins of milliseconds, and how good those are on the test images. */
import { toDevice } from '../../engine/transfer.js';
import type { TrialResult } from '../../run-folder/result.js';
import type { ImportanceScores } from '../../stitching/importance.js';
import { trainablesOfNames } from '../../stitching/parameters/names.js';
import { type FlopsBins, flopsBins } from '../../stitching/space/flops-bins.js';
import type { Runtime } from '../../training/runtime.js';
import type { StageRecipe } from '../recipe.js';
import { leaveOutBeaten, noteValidation, topsOfBins } from '../trial/deploy.js';
import { accuraciesOf, accuraciesOfAll } from '../trial/evaluate.js';
import { initialParameters, networkOfTrained, type TrialNetwork } from '../trial/network.js';
import { openTrialData } from '../trial/trial-data.js';
import { stitchResult } from '../trial/trial-result.js';
import { partsOf, type SharedImages } from './shared-trial.js';

/** What makes the best stitch of a bin. */
export type Rule = 'importance' | 'validation';

/** What chooses. */
export interface Choice {
  readonly rule: Rule;
  /** Bins of equal width. */
  readonly count: number;
  /** Of every stitch, by id. */
  readonly milliseconds: readonly number[];
  readonly importance: ImportanceScores;
  /** Of the trial that is deployed anew. */
  readonly name: string;
  readonly trialFolder: string;
}

/** What is deployed, tested. */
export async function chosenStitches(
  runtime: Runtime,
  shared: SharedImages,
  stage: StageRecipe,
  choice: Choice,
): Promise<Pick<TrialResult, 'stitches' | 'beaten' | 'deploySeconds'>> {
  const { engine } = runtime;
  const { recipe, trained, dataset } = shared;
  const { name, importance, milliseconds } = choice;
  const network = networkOfTrained(engine, await partsOf(shared), stage.adaptation, recipe.stitching.bins, trained);
  const ids = network.space.stitches.map(({ id }) => id);
  const trainables = trainablesOfNames(toDevice(engine, await initialParameters(engine, network, ids, recipe.seed)));
  const validates = choice.rule === 'validation' || stage.leavesOutBeaten === true;
  const evaluated = [...(validates ? [recipe.choiceSplit] : []), recipe.testSplit];
  if (validates && stage.final.split === 'train+validation') {
    runtime.progress.line(
      `${name}: chosen on validation images that its final run has learned, which flatters all of them`,
    );
  }
  const data = await openTrialData({ ...recipe, stages: [] }, dataset.splits, runtime, evaluated);
  try {
    const start = performance.now();
    const validated = async () => {
      const label = `${name}: evaluating all stitches`;
      const scores = await accuraciesOfAll(runtime, network, trainables, data.evaluation('validation'), label);
      const qualities = scores.map((accuracy) => ({ accuracy }));
      await noteValidation(choice, { flops: network.flops, bins: flopsBinsOf(network, choice) }, importance, qualities);
      return scores;
    };
    const scores = choice.rule === 'validation' ? await validated() : importance.scores;
    const bins = flopsBins(milliseconds, network.bins.largestAnchor, { count: choice.count });
    const tops = topsOfBins({ bins, space: network.space }, stage, scores);
    const { deployed, beaten } = await leaveOutBeaten({ ...runtime, name, data }, network, stage, trainables, tops);
    const deploySeconds = (performance.now() - start) / 1000;
    const chosen = deployed.map(({ id }) => id);
    const images = data.evaluation('test');
    const accuracies = await accuraciesOf(runtime, network, trainables, chosen, images, `${name}: testing`);
    const { anchors } = recipe;
    const stitches = deployed.map((stitch, index) =>
      stitchResult(anchors, { network, importance }, stitch, { accuracy: accuracies[index]! }),
    );
    return { stitches, ...(beaten && { beaten }), deploySeconds };
  } finally {
    engine.free(trainables);
    engine.free(network.frozen);
    await data.close();
  }
}

/** Of the validations of the new trial: reports compare so many bins of FLOPs with as many of milliseconds. */
function flopsBinsOf({ flops, bins }: Pick<TrialNetwork, 'flops' | 'bins'>, { count }: Choice): FlopsBins {
  return count === bins.bins.length ? bins : flopsBins(flops, bins.largestAnchor, { count });
}
