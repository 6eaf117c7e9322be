/** The story of one trial: a data set, a method, a seed. */
import type { Trial } from '../../config/trials.js';
import { toHost } from '../../engine/transfer.js';
import { sweepTrial } from '../../run-folder/leftovers.js';
import { type StitchResult, type TrialResult, trainedStages } from '../../run-folder/result.js';
import type { NdArray } from '../../shared/arrays.js';
import type { Adaptation } from '../../stitching/space/cost.js';
import { stopIfAborted } from '../../training/runtime.js';
import { epochsOf, type Recipe, recipeOf, type StageRecipe, unknownImages } from '../recipe.js';
import { recordRecipe } from '../recorded-recipe.js';
import { taskOf } from '../task/task.js';
import type { TrialContext, TrialRuntime } from './context.js';
import { readGrid, sweepTried } from './grid.js';
import {
  type Anchors,
  mergeAnchors,
  type NetworkParts,
  networkOfAnchors,
  networkOfStitches,
  type TrialNetwork,
} from './network.js';
import { qualitiesOf } from './quality.js';
import { joined, runStage, type TrainedStage } from './stage.js';
import { trainedFile, writeTrained } from './trained-file.js';
import { stageResult, stitchResult } from './trial-result.js';

/**
 * Goes on with a trial up to its end.
 * @param until name of a stage: ends once its final run is saved, and gives nothing
 */
export async function runTrial(trial: Trial, runtime: TrialRuntime): Promise<TrialResult>;
export async function runTrial(trial: Trial, runtime: TrialRuntime, until?: string): Promise<TrialResult | undefined>;
export async function runTrial(trial: Trial, runtime: TrialRuntime, until?: string): Promise<TrialResult | undefined> {
  const { engine, writer, identity, progress, signal } = runtime;
  const { name } = trial;
  const trialFolder = writer.trialFolder(trial);
  const epochs = epochsOf(recipeOf(trial, unknownImages));
  const trained = new Set(await trainedStages(trialFolder));
  const onEpoch: TrialContext['onEpoch'] = (epoch, learningRate) =>
    writer.status(trial, {
      ...{ state: 'running', learningRate, epoch, epochs: epochs.grid + epochs.final },
      ...(trained.size > 0 && { trained: [...trained] }),
    });
  await writer.begin(trial, identity);
  await sweepTried(trialFolder);
  await onEpoch(0, 0);

  // 1. The images or texts; how many there are completes the recipe.
  const task = await taskOf(trial, runtime);
  const { classes, recipe } = task;
  await recordRecipe(trialFolder, recipe);
  const data = await task.open();
  const context: TrialContext = {
    ...{ engine, progress, signal, name, recipe, data, trialFolder, identity, onEpoch },
    ...(until !== undefined && { until }),
  };
  const done: TrainedStage[] = [];
  try {
    // 2. The pretrained anchors and the stitches between them.
    const parts = await task.parts();

    // 3. Some methods adapt each anchor alone.
    const asked = stagesUntil(recipe, until);
    const onTrained = (stage: TrainedStage) => void trained.add(stage.recipe.name);
    const alone = asked.filter(({ anchor }) => anchor !== undefined);
    const adapted = alone.length > 0 ? await adaptAnchors(context, parts, alone, done, onTrained) : parts.anchors;

    // 4. The stitched network: learning rate, training, deployment.
    const stitched = asked.find(({ anchor }) => anchor === undefined);
    if (stitched) {
      const stitchedParts = { ...parts, anchors: adapted };
      const network = await networkOfStitches(context, stitchedParts, stitched.adaptation, await task.fitInputs());
      onTrained(await runNext(context, network, stitched, done));
    }
    if (until !== undefined) {
      await onEpoch(epochsDone(done), done.at(-1)!.baseLearningRate);
      return undefined;
    }

    // 5. What is deployed is tested: the stitched network's choice, or the anchors where nothing was stitched.
    const deployed = stitched ? done.slice(-1) : done;
    const stitches: StitchResult[] = [];
    for (const stage of deployed) stitches.push(...(await testStage(context, stage)));

    // 6. The trained tensors and the result; the checkpoints have done their work.
    const learnedIn = (stages: readonly TrainedStage[]) => toHost(engine, joined(stages));
    const { baseLearningRate, deploySeconds, network, beaten } = done.at(-1)!;
    await writeTrained(trainedFile(trialFolder), {
      trainables: await learnedIn(deployed),
      layers: await toHost(engine, network.frozen.layers),
      alone: await learnedIn(done.filter((stage) => !deployed.includes(stage))),
      classes,
    });
    const grid = await readGrid(trialFolder);
    const stages = done.map((stage) => stageResult(stage, grid));
    const result = await writer.result(trial, {
      ...{ status: 'finished', learningRate: baseLearningRate, stitches, epochs: epochs.final, stages },
      trainSeconds: stages.reduce((sum, { trainSeconds }) => sum + trainSeconds, 0),
      ...(beaten && { beaten }),
      ...(stitched && { deploySeconds, layerStartErrors: network.startErrors }),
      ...(engine.precision !== 'float32' && { precision: engine.precision }),
    });
    await writer.status(trial, { state: 'finished', learningRate: baseLearningRate });
    await sweepTrial(trialFolder, () => true);
    return result;
  } finally {
    for (const { trainables } of done) engine.free(trainables);
    for (const { frozen } of new Set(done.map(({ network }) => network))) engine.free(frozen);
    await data.close();
  }
}

/** Trains the anchors one after the other, and merges into each what it has learned. */
async function adaptAnchors(
  context: TrialContext,
  parts: NetworkParts,
  stages: readonly StageRecipe[],
  done: TrainedStage[],
  onTrained: (stage: TrainedStage) => void,
): Promise<Anchors<NdArray>> {
  const network = networkOfAnchors(context.engine, parts, stages[0]!.adaptation as Adaptation);
  for (const stage of stages) onTrained(await runNext(context, network, stage, done));
  // The rules of an experiment see to it that anchors of 8 bits, which nothing can be merged into, are not stitched after.
  if (context.recipe.texts?.weights === '8bit') return parts.anchors;
  return mergeAnchors(parts.anchors as Anchors, parts, await toHost(context.engine, joined(done)));
}

/** Runs a stage after those that are done, and adds it to them. */
async function runNext(
  context: TrialContext,
  network: TrialNetwork,
  stage: StageRecipe,
  done: TrainedStage[],
): Promise<TrainedStage> {
  stopIfAborted(context, context.name);
  const trained = await runStage(context, network, stage, epochsDone(done));
  done.push(trained);
  return trained;
}

/** Of the grids and the final runs of stages that are done. */
function epochsDone(done: readonly TrainedStage[]): number {
  const { grid, final } = epochsOf({ stages: done.map(({ recipe }) => recipe) });
  return grid + final;
}

function stagesUntil({ stages }: Recipe, until: string | undefined): readonly StageRecipe[] {
  return until === undefined ? stages : stages.slice(0, stages.findIndex(({ name }) => name === until) + 1);
}

async function testStage(context: TrialContext, stage: TrainedStage): Promise<StitchResult[]> {
  const { recipe, name } = context;
  const { network, trainables, deployed } = stage;
  const ids = deployed.map(({ id }) => id);
  const qualities = await qualitiesOf(context, network, trainables, ids, recipe.testSplit, `${name}: testing`);
  const { data } = context;
  const hasTest = data.kind === 'texts' && data.hasTest;
  const tested = hasTest ? await qualitiesOf(context, network, trainables, ids, 'test', `${name}: test texts`) : [];
  return deployed.map((stitch, index) => stitchResult(recipe.anchors, stage, stitch, qualities[index]!, tested[index]));
}
