/** The story of one trial: a data set, a method, a seed. */
import path from 'node:path';
import type { Trial } from '../../config/trials.js';
import type { Splits } from '../../data/dataset.js';
import { loadDataset } from '../../data/load.js';
import { toHost } from '../../engine/transfer.js';
import type { TrialIdentity } from '../../run-folder/identity/trial-identity.js';
import { sweepTrial } from '../../run-folder/leftovers.js';
import type { StitchResult, TrialResult } from '../../run-folder/result.js';
import type { RunWriter } from '../../run-folder/run-writer.js';
import { writeAtomic } from '../../shared/files.js';
import type { Adaptation } from '../../stitching/space/cost.js';
import { type Runtime, stopIfAborted } from '../../training/runtime.js';
import { epochsOf, gridEpochsOf, recipeOf, type StageRecipe, unknownImages } from '../recipe.js';
import { spaceOf } from '../space.js';
import type { TrialContext } from './context.js';
import { accuraciesOf } from './evaluate.js';
import { gridRun, readGrid } from './grid.js';
import {
  type Anchors,
  loadAnchors,
  mergeAnchors,
  type NetworkParts,
  networkOfAnchors,
  networkOfStitches,
  type TrialNetwork,
} from './network.js';
import { joined, runStage, type TrainedStage } from './stage.js';
import { writeTrained } from './trained-file.js';
import { countImages, fitImages, openTrialData } from './trial-data.js';
import { stageResult, stitchResult } from './trial-result.js';

export interface TrialRuntime extends Runtime {
  readonly writer: RunWriter;
  readonly identity: TrialIdentity;
  /** Where drawn images are kept. */
  readonly cacheFolder: string;
}

export async function runTrial(trial: Trial, runtime: TrialRuntime): Promise<TrialResult> {
  const { engine, writer, identity, progress, signal, cacheFolder } = runtime;
  const { name, seed } = trial;
  const trialFolder = writer.trialFolder(trial);
  const epochs = epochsOf(recipeOf(trial, unknownImages));
  const onEpoch: TrialContext['onEpoch'] = (epoch, learningRate) =>
    writer.status(trial, { state: 'running', learningRate, epoch, epochs: epochs.grid + epochs.final });
  await writer.begin(trial, identity);
  const tried = (await readGrid(trialFolder)).map(({ stage, base_rate }) => gridRun(stage, base_rate));
  await sweepTrial(trialFolder, (run) => tried.includes(run));
  await onEpoch(0, 0);

  // 1. The images; how many there are completes the recipe.
  const { classes, splits } = await loadDataset(trial.dataset, cacheFolder, { seed, progress });
  const recipe = recipeOf(trial, countImages(splits));
  await writeAtomic(path.join(trialFolder, 'recipe.json'), `${JSON.stringify(recipe, null, 2)}\n`);
  const data = await openTrialData(recipe, splits, progress);
  const context: TrialContext = {
    ...{ engine, progress, signal, name, recipe, data, trialFolder, identity, onEpoch },
  };
  const done: TrainedStage[] = [];
  try {
    // 2. The pretrained anchors and the stitches between them.
    const { architectures, space } = spaceOf(recipe.anchors, recipe.stitching, recipe.images.preprocessing.crop);
    const pretrained = await loadAnchors(recipe.anchors, architectures, classes.length);
    const parts = { architectures, space, classes: classes.length, anchors: pretrained };

    // 3. Some methods adapt each anchor alone.
    const alone = recipe.stages.filter(({ anchor }) => anchor !== undefined);
    const adapted = alone.length > 0 ? await adaptAnchors(context, parts, alone, done) : pretrained;

    // 4. The stitched network: learning rate, training, deployment.
    const stitched = recipe.stages.find(({ anchor }) => anchor === undefined);
    if (stitched) await trainStitches(context, { ...parts, anchors: adapted }, stitched, splits, done);

    // 5. What is deployed is tested: the stitched network's choice, or the anchors where nothing was stitched.
    const deployed = stitched ? done.slice(-1) : done;
    const stitches: StitchResult[] = [];
    for (const stage of deployed) stitches.push(...(await testStage(context, stage)));

    // 6. The trained tensors and the result; the checkpoints have done their work.
    const learnedIn = (stages: readonly TrainedStage[]) => toHost(engine, joined(stages));
    const { baseLearningRate, deploySeconds, network } = done.at(-1)!;
    await writeTrained(path.join(trialFolder, 'trained.safetensors'), {
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
      ...(stitched && { deploySeconds, layerStartErrors: network.startErrors }),
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
): Promise<Anchors> {
  const network = networkOfAnchors(context.engine, parts, stages[0]!.adaptation as Adaptation);
  for (const stage of stages) await runNext(context, network, stage, done);
  return mergeAnchors(parts.anchors, parts, await toHost(context.engine, joined(done)));
}

/** Fits the stitching layers, and trains the stitched network. */
async function trainStitches(
  context: TrialContext,
  parts: NetworkParts,
  stage: StageRecipe,
  splits: Splits,
  done: TrainedStage[],
): Promise<void> {
  const { engine, progress, recipe, name } = context;
  const images = await fitImages(recipe, splits);
  progress.start(`${name}: fitting stitching layers`, images.length);
  const fitted = (batches: number) => progress.update(batches);
  const { bins } = recipe.stitching;
  const network = await networkOfStitches(engine, parts, stage.adaptation, bins, images, fitted);
  progress.stop();
  await runNext(context, network, stage, done);
}

/** Runs a stage after those that are done, and adds it to them. */
async function runNext(
  context: TrialContext,
  network: TrialNetwork,
  stage: StageRecipe,
  done: TrainedStage[],
): Promise<void> {
  stopIfAborted(context, context.name);
  const epochsBefore = done.reduce((sum, { recipe }) => sum + recipe.final.epochs + gridEpochsOf(recipe), 0);
  done.push(await runStage(context, network, stage, epochsBefore));
}

async function testStage(context: TrialContext, stage: TrainedStage): Promise<StitchResult[]> {
  const { recipe, data, name } = context;
  const { network, trainables, deployed } = stage;
  const ids = deployed.map(({ id }) => id);
  const images = data.evaluation(recipe.testSplit);
  const accuracies = await accuraciesOf(context, network, trainables, ids, images, `${name}: testing`);
  return deployed.map((stitch, index) => stitchResult(recipe.anchors, stage, stitch, accuracies[index]!));
}
