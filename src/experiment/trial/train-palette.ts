/**
 * Trains a palette: in each step one stitch is drawn, learns, and earns its importance score. All that a killed run needs
 * is in one checkpoint: trained tensors, moments, importance scores, random state and position; so an interrupted run ends
 * with the numbers of an uninterrupted one.
 */
import path from 'node:path';
import { peakLearningRate } from '../../config/plan.js';
import type { Experiment } from '../../config/schema/experiment.js';
import type { BatchLoader } from '../../data/batches/batches.js';
import type { Engine, Value } from '../../engine/engine.js';
import { openJournal } from '../../run-folder/training-journal.js';
import { Interrupted, TrialError } from '../../shared/errors.js';
import type { Progress } from '../../shared/progress.js';
import { Random, type RandomState } from '../../shared/random.js';
import { type ImportanceScores, initialImportance, updateImportance } from '../../stitching/importance.js';
import { trainablesOfNames } from '../../stitching/parameters/names.js';
import type { Trainables } from '../../stitching/parameters/trainables.js';
import { drawStitch } from '../../stitching/sampling.js';
import { learningRateAt } from '../../training/schedule.js';
import { type StepMeasures, stepRunner } from '../../training/step-runner.js';
import { initialState, stateOnDevice } from '../../training/training-state.js';
import { restoreCheckpoint, saveCheckpoint } from './checkpoint.js';
import type { TrainingScheme } from './method.js';
import { initialParameters, type Palette } from './palette.js';

/** What a training needs of its surroundings. */
export interface TrainingContext {
  readonly engine: Engine;
  readonly experiment: Experiment;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** Holds the checkpoint and the journal. */
  readonly trialFolder: string;
  /** Called when an epoch begins or ends, with the epochs that are done. */
  readonly onEpoch: (epochsDone: number) => Promise<void>;
}

export interface PaletteTraining {
  readonly palette: Palette;
  readonly scheme: TrainingScheme;
  readonly baseRate: number;
  readonly epochs: number;
  readonly seed: number;
  /** Names the checkpoint and the lines of the journal. */
  readonly stage: string;
  /** Everything that the numbers depend on, as text: a checkpoint of other settings is refused. */
  readonly identity: string;
  /** For people: "flowers12, learning rate 1e-3". */
  readonly label: string;
  /** Something to be measured after some epochs, once they are saved; once more for an epoch that a training goes on from. */
  readonly measured?: {
    readonly epochs: readonly number[];
    readonly measure: (epoch: number, trained: Omit<TrainedPalette, 'seconds'>) => Promise<void>;
  };
}

export interface TrainedPalette {
  readonly trainables: Trainables<Value>;
  readonly importance: ImportanceScores;
  /** Seconds of training, over all calls that it took. */
  readonly seconds: number;
}

/** The part of the state that is not tensors. */
interface Position {
  readonly step: number;
  readonly importance: ImportanceScores;
  readonly random: RandomState;
  readonly epoch: EpochTotals;
  readonly seconds: number;
}

/** Sums over the steps of the epoch under way. */
interface EpochTotals {
  readonly loss: number;
  readonly labelLoss: number;
  readonly teacherLoss: number;
  readonly taughtSteps: number;
  /** By stitch id. */
  readonly draws: readonly number[];
}

/** The file that a training goes on from. It stays when the training is done: whoever has used its result removes it. */
export function checkpointFile(trialFolder: string, stage: string): string {
  return path.join(trialFolder, `checkpoint-${stage}.safetensors`);
}

export async function trainPalette(
  context: TrainingContext,
  loader: BatchLoader,
  { palette, scheme, baseRate, epochs, seed, stage, identity, label, measured }: PaletteTraining,
): Promise<TrainedPalette> {
  const { engine, experiment, progress, signal, trialFolder } = context;
  const { batch_size: batchSize, warmup_epochs: warmupEpochs, checkpoint_minutes, weight_decay } = experiment.training;
  const file = checkpointFile(trialFolder, stage);
  const restored = await restoreCheckpoint(file, identity);
  const state = stateOnDevice(
    engine,
    restored?.state ?? initialState(await initialParameters(engine, palette, scheme.stitches, seed)),
  );
  const stitches = palette.space.stitches.length;
  const position: Position = restored
    ? (JSON.parse(restored.rest['position']!) as Position)
    : {
        step: 0,
        importance: initialImportance(stitches, experiment.sampling.eta),
        random: Random.of(seed, 'stitches').save(),
        epoch: noTotals(stitches),
        seconds: 0,
      };
  let { importance, epoch: totals, seconds } = position;
  const random = Random.restore(position.random);
  const { distillation, hasScores } = scheme;
  const options = { weightDecay: weight_decay, saliency: hasScores, ...(distillation && { distillation }) };
  const run = stepRunner(engine, palette, state, options);
  const perEpoch = loader.batchesPerEpoch;
  const steps = perEpoch * epochs;
  const warmup = Math.min(warmupEpochs, epochs) * perEpoch;
  const first = { epoch: Math.floor(position.step / perEpoch), index: position.step % perEpoch };
  const journal = await openJournal(trialFolder, stage, first.epoch);
  await context.onEpoch(first.epoch);
  const isMeasured = (epoch: number) => measured?.epochs.includes(epoch) ?? false;
  const measure = (epoch: number) =>
    measured!.measure(epoch, { trainables: trainablesOfNames(state.parameters), importance });
  if (first.index === 0 && isMeasured(first.epoch)) await measure(first.epoch);

  progress.start(label, steps, {}, position.step);
  let clock = performance.now();
  let saved = clock;
  const save = async (step: number) => {
    const rest: Position = { step, importance, random: random.save(), epoch: totals, seconds };
    await saveCheckpoint(engine, file, identity, state, { position: JSON.stringify(rest) });
    saved = performance.now();
  };
  for await (const batch of loader.batches({ ...first, epochs: epochs - first.epoch })) {
    const step = batch.epoch * perEpoch + batch.index;
    const id =
      scheme.stitches.length === 1
        ? scheme.stitches[0]!
        : drawStitch(scheme.sampling, { epoch: batch.epoch, importance, bins: palette.bins }, random);
    const rate = learningRateAt(step, peakLearningRate(baseRate, batchSize), warmup, steps);
    const measures = await run(id, batch.images, batch.labels, rate);
    if (!Number.isFinite(measures.loss)) {
      throw new TrialError(
        `the loss is ${measures.loss} at step ${step} of ${steps} (stitch ${id}, learning rate ${rate.toExponential(2)})`,
        'Lower training.base_learning_rates; the last checkpoint is kept.',
      );
    }
    if (hasScores) importance = updateImportance(importance, id, measures.saliency);
    totals = withStep(totals, id, measures);
    seconds += (performance.now() - clock) / 1000;
    clock = performance.now();
    progress.update(step + 1, {
      epoch: `${batch.epoch + 1}/${epochs}`,
      loss: measures.loss.toFixed(3),
      'images/s': ((batchSize * (step + 1)) / seconds).toFixed(0),
    });
    if (batch.index === perEpoch - 1) {
      const position = { stage, epoch: batch.epoch + 1, base_rate: baseRate };
      await journal.write(
        { ...position, step: step + 1, ...meansOf(totals, perEpoch), seconds },
        { ...position, ...(hasScores && { scores: importance.scores }), draws: totals.draws },
      );
      totals = noTotals(stitches);
      await context.onEpoch(batch.epoch + 1);
    }
    const isLast = step + 1 === steps;
    const measuredEpoch = batch.index === perEpoch - 1 && isMeasured(batch.epoch + 1) ? batch.epoch + 1 : undefined;
    const isDue = measuredEpoch !== undefined || performance.now() - saved > checkpoint_minutes * 60_000;
    if (isDue || isLast || signal.aborted) await save(step + 1);
    if (signal.aborted && !isLast) {
      throw new Interrupted(`stopped after step ${step + 1} of ${steps} of ${label}; everything is saved`);
    }
    if (measuredEpoch !== undefined) {
      await measure(measuredEpoch);
      progress.start(label, steps, {}, step + 1);
      clock = performance.now(); // a measurement is no training
    }
  }
  progress.stop();
  engine.free(state.optimizer);
  return { trainables: trainablesOfNames(state.parameters), importance, seconds };
}

function noTotals(stitches: number): EpochTotals {
  return { loss: 0, labelLoss: 0, teacherLoss: 0, taughtSteps: 0, draws: new Array<number>(stitches).fill(0) };
}

function withStep(totals: EpochTotals, id: number, { loss, labelLoss, teacherLoss }: StepMeasures): EpochTotals {
  const { draws } = totals;
  return {
    loss: totals.loss + loss,
    labelLoss: totals.labelLoss + labelLoss,
    teacherLoss: totals.teacherLoss + (teacherLoss ?? 0),
    taughtSteps: totals.taughtSteps + (teacherLoss === undefined ? 0 : 1),
    draws: draws.with(id, draws[id]! + 1),
  };
}

function meansOf({ loss, labelLoss, teacherLoss, taughtSteps }: EpochTotals, steps: number) {
  return {
    loss: loss / steps,
    label_loss: labelLoss / steps,
    ...(taughtSteps > 0 && { teacher_loss: teacherLoss / taughtSteps }),
  };
}
