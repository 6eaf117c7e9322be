/** The story of one trial: a data set, a method, a seed. */
import path from 'node:path';
import type { Trial } from '../config/plan.js';
import type { Experiment } from '../config/schema.js';
import { loadDataset } from '../data/load.js';
import type { Engine } from '../engine/engine.js';
import type { StitchResult, TrialResult } from '../report/result.js';
import { readJson, writeAtomic } from '../shared/files.js';
import type { Progress } from '../shared/progress.js';
import { stitchParams, trainableParams } from '../stitching/cost.js';
import { type DeployedStitch, deployedStitches } from '../stitching/deployment.js';
import { accuraciesOf } from './evaluate-palette.js';
import { type Palette, preparePalette } from './palette.js';
import type { RunWriter } from './run-writer.js';
import { spaceOf } from './space.js';
import { type TrainedPalette, type TrainingContext, trainPalette } from './train-palette.js';
import { fitImages, openTrialData, type TrialData } from './trial-data.js';

export interface TrialSurroundings {
  readonly engine: Engine;
  readonly experiment: Experiment;
  readonly writer: RunWriter;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** Where drawn images are kept. */
  readonly cacheFolder: string;
}

export async function runTrial(trial: Trial, surroundings: TrialSurroundings): Promise<TrialResult> {
  const { engine, experiment, writer, progress, cacheFolder, signal } = surroundings;
  const { seed } = trial;
  // 1. The images, and how many classes there are to tell apart.
  const dataset = await loadDataset(trial.dataset, cacheFolder);
  const imageSize = spaceOf(experiment, dataset.classes.length).anchors[0]!.imageSize;
  const data = await openTrialData(experiment, dataset, imageSize, seed, progress);
  try {
    // 2. The frozen anchors, and stitching layers that start from least squares.
    const images = await fitImages(experiment, dataset, imageSize, seed);
    const palette = await preparePalette(engine, experiment, dataset.classes.length, images);
    const context: TrainingContext = { engine, experiment, palette, progress, signal };
    // 3. The learning rate, chosen on the validation images.
    const baseRate = await chooseRate(trial, context, data, writer);
    await writer.status(trial, { state: 'running', learningRate: baseRate });
    // 4. Training.
    const { epochs } = experiment.training;
    const trained = await train(trial, context, data.finalTrain, writer, baseRate, epochs, 'final');
    // 5. One-stage deployment: importance scores alone choose; only what is deployed is evaluated.
    const deployed = deployedStitches(palette.bins, trained.importance);
    const ids = deployed.map(({ id }) => id);
    const label = `${trial.name}: testing`;
    const accuracies = await accuraciesOf(engine, palette, trained.trainables, ids, data.test, progress, label);
    // 6. The result.
    return await writer.result(trial, {
      status: 'finished',
      learningRate: baseRate,
      stitches: deployed.map((stitch, index) => stitchResult(experiment, palette, trained, stitch, accuracies[index]!)),
      trainSeconds: trained.seconds,
      epochs,
    });
  } finally {
    await data.close();
  }
}

/** The base learning rate with the best mean accuracy of the deployed stitches on the validation images. */
async function chooseRate(trial: Trial, context: TrainingContext, data: TrialData, writer: RunWriter): Promise<number> {
  const { base_learning_rates: rates, grid_epochs: epochs } = context.experiment.training;
  if (rates.length === 1) return rates[0]!;
  const file = path.join(writer.trialFolder(trial), 'grid.json');
  const done: { rate: number; accuracy: number }[] = await readJson<typeof done>(file).catch(() => []);
  for (const rate of rates) {
    if (done.some((entry) => entry.rate === rate)) continue;
    const { trainables, importance } = await train(trial, context, data.train, writer, rate, epochs, `grid-${rate}`);
    const ids = deployedStitches(context.palette.bins, importance).map(({ id }) => id);
    const { engine, palette, progress } = context;
    const label = `${trial.name}: validating base rate ${rate}`;
    const accuracies = await accuraciesOf(engine, palette, trainables, ids, data.validation, progress, label);
    done.push({ rate, accuracy: accuracies.reduce((sum, accuracy) => sum + accuracy, 0) / accuracies.length });
    await writeAtomic(file, `${JSON.stringify(done, null, 2)}\n`);
  }
  return done.reduce((best, entry) => (entry.accuracy > best.accuracy ? entry : best)).rate;
}

function train(
  trial: Trial,
  context: TrainingContext,
  loader: TrialData['train'],
  writer: RunWriter,
  baseRate: number,
  epochs: number,
  stage: string,
): Promise<TrainedPalette> {
  const folder = writer.trialFolder(trial);
  return trainPalette(context, loader, {
    baseRate,
    epochs,
    seed: trial.seed,
    identity: `${writer.configuration} ${trial.name} ${stage}`,
    checkpointFile: path.join(folder, `checkpoint-${stage}.safetensors`),
    metricsFile: path.join(folder, 'metrics.jsonl'),
    importanceFile: path.join(folder, 'importance.jsonl'),
    label: `${trial.name}, ${stage === 'final' ? 'training' : 'grid'} at base rate ${baseRate}`,
  });
}

function stitchResult(
  experiment: Experiment,
  { space, network, flops }: Palette,
  { importance }: TrainedPalette,
  { id, bin }: DeployedStitch,
  accuracy: number,
): StitchResult {
  const stitch = space.stitches[id]!;
  const score = importance.scores[id];
  return {
    id,
    path: stitch.path.map(({ anchor, blocks }) => ({ anchor: experiment.anchors[anchor]!.name, blocks })),
    flops: flops[id]!,
    params: stitchParams(stitch, network).total,
    trainable: trainableParams(stitch, network).total,
    accuracy,
    ...(typeof score === 'number' && { importance: score }),
    ...(bin !== undefined && { bin }),
  };
}
