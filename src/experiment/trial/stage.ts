/** One stage of a trial: the learning rate is chosen on the validation images, then the final run is made. */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { Trial } from '../../config/plan.js';
import type { StagePlan } from '../../config/stages.js';
import type { BatchLoader } from '../../data/batches/batches.js';
import type { Engine, Value } from '../../engine/engine.js';
import { noteTest } from '../../run-folder/training-journal.js';
import type { EpochTest } from '../../run-folder/trial-journal.js';
import { readJsonLines, writeAtomic } from '../../shared/files.js';
import type { Progress } from '../../shared/progress.js';
import { type DeployedStitch, deployedStitches } from '../../stitching/deployment.js';
import { joinTrainables, noTrainables, type Trainables } from '../../stitching/parameters/trainables.js';
import { noteAngles } from './angle-measurement.js';
import { accuraciesOf, type EvaluationContext, sweepPalette } from './evaluate-palette.js';
import type { TrainingScheme } from './method.js';
import type { Palette } from './palette.js';
import { checkpointFile, type PaletteTraining, type TrainedPalette, trainPalette } from './train-palette.js';
import type { TrialData } from './trial-data.js';

export interface StageContext {
  readonly trial: Trial;
  readonly engine: Engine;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly data: TrialData;
  /** Fingerprint of the run's configuration. */
  readonly configuration: string;
  readonly trialFolder: string;
  /** Called with the epochs of this trial that are done, of all its trainings together, and the base rate under way. */
  readonly onEpoch: (epochsDone: number, baseRate: number) => Promise<void>;
}

export interface Stage {
  readonly plan: StagePlan;
  readonly palette: Palette;
  readonly scheme: TrainingScheme;
  readonly deployment: 'importance' | 'validation' | 'everything trained';
  /** Epochs that the stages before took. */
  readonly epochsBefore: number;
}

export interface TrainedStage extends Pick<TrainedPalette, 'trainables' | 'importance' | 'seconds'> {
  readonly baseRate: number;
  readonly deployed: readonly DeployedStitch[];
  /** What it took to choose them. */
  readonly deploySeconds: number;
}

/** A line of grid.jsonl. */
export interface GridEntry {
  readonly stage: string;
  readonly base_rate: number;
  /** Mean accuracy of the deployed stitches on the validation images, percent. */
  readonly accuracy: number;
}

export async function runStage(context: StageContext, stage: Stage): Promise<TrainedStage> {
  const { plan, epochsBefore } = stage;
  const rates = context.trial.experiment.training.base_learning_rates;
  const gridEpochs = plan.gridEpochs * rates.length;
  const baseRate = rates.length === 1 ? rates[0]! : await chooseRate(context, stage);
  const trained = await train(context, stage, {
    name: plan.name,
    loader: context.data.finalTrain,
    epochs: plan.epochs,
    baseRate,
    epochsBefore: epochsBefore + gridEpochs,
    measured: measuredOf(context, stage),
  });
  const start = performance.now();
  const deployed = await deploy(context, stage, trained);
  return { ...trained, baseRate, deployed, deploySeconds: (performance.now() - start) / 1000 };
}

/** What is measured on the way, for the record: nothing is chosen by it. */
function measuredOf(context: StageContext, stage: Stage): PaletteTraining['measured'] & object {
  const { testedEpochs, anglesEpoch, name } = stage.plan;
  return {
    epochs: anglesEpoch === undefined ? testedEpochs : [...testedEpochs, anglesEpoch],
    async measure(epoch, trained) {
      const test = () => testOf(context, stage, trained, epoch);
      if (testedEpochs.includes(epoch)) await noteTest(context.trialFolder, { stage: name, epoch }, test);
      if (epoch === anglesEpoch) await noteAngles(context, stage, trained.trainables, epoch);
    },
  };
}

/** The lines of a trial's grid.jsonl; [] where there is none. */
export function readGrid(trialFolder: string): Promise<GridEntry[]> {
  return readJsonLines<GridEntry>(gridFile(trialFolder));
}

async function addToGrid(trialFolder: string, entry: GridEntry): Promise<void> {
  const entries = [...(await readGrid(trialFolder)), entry];
  await writeAtomic(gridFile(trialFolder), entries.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

const gridFile = (trialFolder: string) => path.join(trialFolder, 'grid.jsonl');

/** The base learning rate with the best mean accuracy of the deployed stitches on the validation images. */
async function chooseRate(context: StageContext, stage: Stage): Promise<number> {
  const { trial, trialFolder, data } = context;
  const { plan } = stage;
  const results = (await readGrid(trialFolder)).filter((entry) => entry.stage === plan.name);
  for (const [index, baseRate] of trial.experiment.training.base_learning_rates.entries()) {
    if (results.some((entry) => entry.base_rate === baseRate)) continue;
    const name = `${plan.name}-grid-${baseRate}`;
    const trained = await train(context, stage, {
      name,
      loader: data.train,
      epochs: plan.gridEpochs,
      baseRate,
      epochsBefore: stage.epochsBefore + index * plan.gridEpochs,
    });
    const accuracies = await validate(context, stage, trained, `base rate ${baseRate}`);
    const entry: GridEntry = { stage: plan.name, base_rate: baseRate, accuracy: meanOf(accuracies) };
    await addToGrid(trialFolder, entry);
    await rm(checkpointFile(trialFolder, name), { force: true });
    context.engine.free(trained.trainables);
    results.push(entry);
  }
  return results.reduce((best, entry) => (entry.accuracy > best.accuracy ? entry : best)).base_rate;
}

interface Run {
  readonly name: string;
  readonly loader: BatchLoader;
  readonly epochs: number;
  readonly baseRate: number;
  readonly epochsBefore: number;
  readonly measured?: PaletteTraining['measured'];
}

function train(
  { trial, configuration, ...context }: StageContext,
  { palette, scheme, plan }: Stage,
  { name, loader, epochs, baseRate, epochsBefore, measured }: Run,
): Promise<TrainedPalette> {
  const { experiment, seed } = trial;
  const surroundings = {
    ...context,
    experiment,
    onEpoch: (done: number) => context.onEpoch(epochsBefore + done, baseRate),
  };
  return trainPalette(surroundings, loader, {
    palette,
    scheme,
    baseRate,
    epochs,
    seed,
    stage: name,
    identity: `${configuration} ${trial.name} ${name}`,
    label: `${trial.name}, ${plan.name === name ? '' : 'grid of '}${plan.name} at base rate ${baseRate}`,
    ...(measured && { measured }),
  });
}

type Deployable = Pick<TrainedPalette, 'trainables' | 'importance'>;

/** The stitches to deploy. Importance scores choose without any evaluation; SN-Net has to evaluate the whole space. */
async function deploy(context: StageContext, stage: Stage, trained: Deployable): Promise<DeployedStitch[]> {
  const { palette, scheme } = stage;
  switch (stage.deployment) {
    case 'everything trained':
      return scheme.stitches.map((id) => ({ id }));
    case 'importance':
      return deployedStitches(palette.bins, trained.importance);
    case 'validation': {
      const label = `${context.trial.name}: evaluating all stitches`;
      const scores = await sweepPalette(
        evaluation(context),
        palette,
        trained.trainables,
        context.data.validation,
        label,
      );
      return deployedStitches(palette.bins, { scores });
    }
  }
}

/** Accuracies of the stitches that would be deployed, on the validation images. */
async function validate(context: StageContext, stage: Stage, trained: TrainedPalette, what: string): Promise<number[]> {
  const ids = (await deploy(context, stage, trained)).map(({ id }) => id);
  const label = `${context.trial.name}: validating ${what}`;
  return accuraciesOf(evaluation(context), stage.palette, trained.trainables, ids, context.data.validation, label);
}

/** Accuracies of the stitches that would be deployed now, on the test images: for the record, nothing is chosen by it. */
async function testOf(
  context: StageContext,
  stage: Stage,
  trained: Deployable,
  epoch: number,
): Promise<Pick<EpochTest, 'accuracy' | 'stitches'>> {
  const ids = (await deploy(context, stage, trained)).map(({ id }) => id);
  const label = `${context.trial.name}: testing after epoch ${epoch}`;
  const { test } = context.data;
  const accuracies = await accuraciesOf(evaluation(context), stage.palette, trained.trainables, ids, test, label);
  return { accuracy: meanOf(accuracies), stitches: ids.map((id, index) => ({ id, accuracy: accuracies[index]! })) };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** What an evaluation needs of its surroundings. */
export function evaluation({ engine, progress, signal }: StageContext): EvaluationContext {
  return { engine, progress, signal };
}

/** The trained tensors of several stages, which have no names in common. */
export function joined(stages: readonly TrainedStage[]): Trainables<Value> {
  return stages.map(({ trainables }) => trainables).reduce(joinTrainables, noTrainables);
}
