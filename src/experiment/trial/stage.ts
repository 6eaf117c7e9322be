/** One stage of a trial: the learning rate is chosen on the validation images, the final run is made, stitches are deployed. */
import { setTimeout } from 'node:timers/promises';
import type { Value } from '../../engine/engine.js';
import { meanQuality } from '../../evaluation/quality.js';
import { checkpointFile } from '../../run-folder/leftovers.js';
import { describeHolder } from '../../run-folder/lock.js';
import { noteTest, openJournal, type TrainingJournal } from '../../run-folder/training-journal.js';
import { Diverged } from '../../shared/errors.js';
import { trainablesOfNames } from '../../stitching/parameters/names.js';
import { joinTrainables, noTrainables, type Trainables } from '../../stitching/parameters/trainables.js';
import type { Sampling } from '../../stitching/sampling.js';
import { runTraining, type Trained, type Training, type TrainingHooks } from '../../training/loop.js';
import { stopIfAborted } from '../../training/runtime.js';
import { gridEpochsOf, type LearningRate, type RunRecipe, type StageRecipe, type TrainingSplit } from '../recipe.js';
import { noteAngles } from './angle-measurement.js';
import type { TrialContext } from './context.js';
import { choose, type Deployable, type DeployedChoice, deploy, noteValidation } from './deploy.js';
import { chooseLearningRate, gridRun, type Tried, type Waiting } from './grid.js';
import type { TrialNetwork } from './network.js';
import { qualitiesOf } from './quality.js';
import { type StitchBatch, type StitchRest, stitchTraining } from './stitch-training.js';
import type { TrialData } from './trial-data.js';

/** A stage that is done. */
export interface TrainedStage extends Deployable, DeployedChoice {
  readonly recipe: StageRecipe;
  readonly network: TrialNetwork;
  /** Seconds of the final run. */
  readonly seconds: number;
  readonly baseLearningRate: number;
  /** What it took to choose them. */
  readonly deploySeconds: number;
}

/** @param epochsBefore epochs that the stages before took */
export async function runStage(
  context: TrialContext,
  network: TrialNetwork,
  stage: StageRecipe,
  epochsBefore: number,
): Promise<TrainedStage> {
  const { name, grid, final, learningRates } = stage;

  // 1. The learning rate with which the stitches to deploy are the most accurate ones on the validation images.
  const tryOut = (learningRate: LearningRate, index: number, folder: string): Promise<Tried> =>
    tryRateOut({ ...context, trialFolder: folder }, network, stage, learningRate, epochsBefore + index * grid!.epochs);
  const learningRate = grid
    ? await chooseLearningRate(context.trialFolder, name, learningRates, tryOut, waitingIn(context))
    : learningRates[0]!;

  // 2. The final run.
  const before = epochsBefore + gridEpochsOf(stage);
  const trained = await train(context, network, stage, name, final, learningRate, before);

  // 3. What is deployed of it.
  const start = performance.now();
  const chosen = () =>
    choose(context, network, stage, trained, (qualities) =>
      noteValidation(context, network, trained.importance, qualities),
    );
  const choice = context.until === name ? { deployed: [] } : await chosen();
  const deploySeconds = (performance.now() - start) / 1000;
  return { recipe: stage, network, ...trained, baseLearningRate: learningRate.base, ...choice, deploySeconds };
}

/**
 * Trains with a rate of the grid, and validates what would be deployed.
 * @param context with the folder of the rate
 */
export async function tryRateOut(
  context: TrialContext,
  network: TrialNetwork,
  stage: StageRecipe,
  learningRate: LearningRate,
  epochsBefore: number,
): Promise<Tried> {
  const { base } = learningRate;
  try {
    const run = gridRun(stage.name, base);
    const trained = await train(context, network, stage, run, stage.grid!, learningRate, epochsBefore);
    return await validated(context, network, stage, trained, `${context.name}: validating base rate ${base}`);
  } catch (error) {
    if (!(error instanceof Diverged)) throw error;
    context.progress.stop();
    context.progress.line(`${context.name}: base rate ${base} counts as the worst: ${error.message}`);
    return { accuracy: 0, diverged: error.message };
  }
}

/**
 * How good what would be deployed is; what was trained is given back.
 * @throws Diverged
 */
async function validated(
  context: TrialContext,
  network: TrialNetwork,
  stage: StageRecipe,
  { trainables, importance, seconds }: Deployable & { readonly seconds: number },
  label: string,
): Promise<Tried> {
  const { choiceSplit } = context.recipe;
  try {
    // All of them, also where the final run leaves some out: the images that score a rate may not choose what is scored.
    const ids = (await deploy(context, network, stage, { trainables, importance })).map(({ id }) => id);
    const qualities = await qualitiesOf(context, network, trainables, ids, choiceSplit, label);
    return { ...meanQuality(qualities), seconds };
  } finally {
    context.engine.free(trainables);
  }
}

/** Says once of each rate that another process is at it, and lets Ctrl-C end the wait. */
function waitingIn(context: TrialContext): Waiting {
  const told = new Set<number>();
  return {
    wait: async () => {
      await setTimeout(1000, undefined, { signal: context.signal }).catch(() => {});
      stopIfAborted(context, context.name);
    },
    onHeld: (baseRate, holder) => {
      if (told.has(baseRate) || !holder) return;
      told.add(baseRate);
      context.progress.line(`${context.name}: base rate ${baseRate} is being tried by ${describeHolder(holder)}`);
    },
  };
}

/** What a run of a trial depends on, as checkpoints state it. */
export function runFingerprint({ name, identity }: Pick<TrialContext, 'name' | 'identity'>, run: string): string {
  return JSON.stringify({ run: `${name} ${run}`, ...identity });
}

/** @param name of the run, in file names and journals: the stage's own is its final run */
async function train(
  context: TrialContext,
  network: TrialNetwork,
  stage: StageRecipe,
  name: string,
  { split, epochs, steps, warmupSteps, decay }: RunRecipe,
  { base, peak }: LearningRate,
  epochsBefore: number,
): Promise<Deployable & { readonly seconds: number }> {
  const { engine, recipe, trialFolder } = context;
  const isFinal = name === stage.name;
  let journal: TrainingJournal;
  const { parameters, rest, seconds } = await runTraining<StitchRest, StitchBatch>(context, {
    ...stitchTraining(engine, network, { ...stage, sampling: samplingIn(stage, epochs) }, recipe.seed, epochs),
    label: `${context.name}, ${isFinal ? '' : 'grid of '}${stage.name} at base rate ${base}`,
    epochs,
    schedule: { steps, warmupSteps, peakLearningRate: peak, ...(decay && { decay }) },
    ...lessonsOf(context.data, split),
    checkpoint: {
      file: checkpointFile(trialFolder, name),
      fingerprint: runFingerprint(context, name),
      minutes: recipe.checkpointMinutes,
    },
    // One stitch alone: esta finetune.
    remedy: stage.stitch === undefined ? 'Lower training.base_learning_rates' : 'Lower --rate',
    hooks: {
      async onStart(epochsDone) {
        journal = await openJournal(trialFolder, name, epochsDone);
        await context.onEpoch(epochsBefore + epochsDone, base);
      },
      async onEpoch({ epoch, step, means }, { rest, seconds }) {
        const { loss, labelLoss, teacherLoss } = means;
        const teacher = teacherLoss !== undefined && { teacher_loss: teacherLoss };
        const scores = stage.importanceMomentum !== undefined && { scores: rest.importance.scores };
        const position = { stage: name, epoch, base_rate: base };
        await journal.write(
          { ...position, step, loss, label_loss: labelLoss!, ...teacher, seconds },
          { ...position, ...scores, draws: rest.draws },
        );
        await context.onEpoch(epochsBefore + epoch, base);
      },
      ...(isFinal && { measured: measuredIn(context, network, stage) }),
    },
  });
  return { trainables: trainablesOfNames(parameters), importance: rest.importance, seconds };
}

/** A run that is shorter than the final one samples uniformly for the same share of it. */
function samplingIn({ sampling, final }: StageRecipe, epochs: number): Sampling {
  if (sampling.strategy === 'uniform') return sampling;
  return { ...sampling, warmupEpochs: (sampling.warmupEpochs * epochs) / final.epochs };
}

function lessonsOf(data: TrialData, split: TrainingSplit): Pick<Training<StitchRest, StitchBatch>, 'loader' | 'unit'> {
  return data.kind === 'texts' ? { loader: data.training(), unit: 'texts' } : { loader: data.training(split) };
}

/** What is measured on the way, for the record: nothing is chosen by it. */
function measuredIn(
  context: TrialContext,
  network: TrialNetwork,
  stage: StageRecipe,
): TrainingHooks<StitchRest>['measured'] & object {
  const { testedEpochs, gradientAngles: angles, name } = stage;
  const { testSplit } = context.recipe;
  const test = async (epoch: number, { parameters, rest }: Trained<StitchRest>) => {
    const label = `${context.name}: testing after epoch ${epoch}`;
    const trained = { trainables: trainablesOfNames(parameters), importance: rest.importance };
    const ids = (await choose(context, network, stage, trained)).deployed.map(({ id }) => id);
    const qualities = await qualitiesOf(context, network, trained.trainables, ids, testSplit, label);
    return { ...meanQuality(qualities), stitches: ids.map((id, index) => ({ id, ...qualities[index]! })) };
  };
  return {
    epochs: angles ? [...testedEpochs, angles.epoch] : testedEpochs,
    async measure(epoch, trained) {
      if (testedEpochs.includes(epoch)) {
        await noteTest(context.trialFolder, { stage: name, epoch }, () => test(epoch, trained));
      }
      if (angles?.epoch === epoch)
        await noteAngles(context, network, angles, stage.final, trainablesOfNames(trained.parameters));
    },
  };
}

/** The trained tensors of several stages, which have no names in common. */
export function joined(stages: readonly TrainedStage[]): Trainables<Value> {
  return stages.map(({ trainables }) => trainables).reduce(joinTrainables, noTrainables);
}
