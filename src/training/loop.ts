/**
 * The training loop of everything that is trained here: stitched networks, anchors alone, anchors from scratch.
 *
 * All that a killed run needs is in one checkpoint: trained tensors, moments, position, and what the steps keep beside
 * tensors. So an interrupted training ends with the numbers of an uninterrupted one, bit for bit. An epoch is noted before it
 * is saved: `onStart` drops the notes about epochs that are trained again.
 */
import type { Batch, BatchRange } from '../data/batches/batches.js';
import type { Value } from '../engine/engine.js';
import type { Float32NdArray } from '../shared/arrays.js';
import { Diverged, Interrupted } from '../shared/errors.js';
import { savingSteps } from '../shared/interrupt.js';
import { restoreCheckpoint, saveCheckpoint } from './checkpoint.js';
import { addMeasures, type MeasureSums, type Measures, meansOf } from './measures.js';
import type { Runtime } from './runtime.js';
import { learningRateAt, type Schedule } from './schedule.js';
import { type DeviceState, initialState, type Named, stateOnDevice } from './training-state.js';

/** Where a batch stands, and what it is of. */
export type StepBatch = Pick<Batch, 'epoch' | 'index' | 'indices'>;

/** Batches of the same number of images or texts, the same number in each epoch. */
export interface StepLoader<Of extends StepBatch> {
  readonly batchesPerEpoch: number;
  batches(range?: BatchRange): AsyncIterable<Of>;
}

/**
 * @typeParam Rest what steps change beside tensors; plain JSON
 * @typeParam Of what a step learns from; default images
 */
export interface Training<Rest, Of extends StepBatch = Batch> {
  /** For people: "flowers12-esta-seed0, stitched". */
  readonly label: string;
  readonly epochs: number;
  readonly schedule: Schedule;
  readonly loader: StepLoader<Of>;
  /** What is counted by the second; default images. */
  readonly unit?: string;
  readonly checkpoint: {
    /** It stays when the training is done: whoever has used its result removes it. */
    readonly file: string;
    /** Everything that the numbers depend on, as JSON: a checkpoint of another training is refused with the difference. */
    readonly fingerprint: string;
    readonly minutes: number;
  };
  /** Makes the tensors to be trained, before the first step. */
  readonly initialParameters: () => Promise<Named<Float32NdArray>>;
  /** Before the first step. */
  readonly initialRest: Rest;
  /** Prepares the steps on a state, whose values they replace. */
  readonly stepOn: (state: DeviceState) => Step<Rest, Of>;
  /** What to do where the loss is not finite: "Lower training.base_learning_rates". */
  readonly remedy: string;
  readonly hooks: TrainingHooks<Rest>;
}

export type Step<Rest, Of extends StepBatch = Batch> = (
  batch: Of,
  position: StepPosition,
  rest: Rest,
) => Promise<StepResult<Rest>>;

export interface StepPosition {
  /** From 0, over all epochs. */
  readonly step: number;
  /** From 0. */
  readonly epoch: number;
  readonly learningRate: number;
}

export interface StepResult<Rest> {
  /** `loss`, and what else is averaged over the steps of an epoch. */
  readonly measures: Measures;
  /** What was trained, where that differs from step to step: "stitch 4". */
  readonly subject?: string;
  /** The rest after the step; asked for once the loss is known to be finite. */
  readonly next: () => Rest;
}

/** What a training has come to. */
export interface Trained<Rest> {
  readonly parameters: Named<Value>;
  readonly rest: Rest;
  /** Seconds of training, over all calls that it took. */
  readonly seconds: number;
}

export interface EpochSummary {
  /** Epochs that are done. */
  readonly epoch: number;
  /** Steps that are done. */
  readonly step: number;
  /** Means over the steps of the epoch. */
  readonly means: Measures;
}

export interface TrainingHooks<Rest> {
  /** Called before the first step, with the epochs that are done: notes about later ones are to be dropped. */
  readonly onStart: (epochsDone: number) => Promise<void>;
  /** Called when an epoch ends, to note it; called again for an epoch that a kill lost. */
  readonly onEpoch: (summary: EpochSummary, trained: Trained<Rest>) => Promise<void>;
  /** Something to be measured after some epochs, once they are saved; once more for an epoch that a training goes on from. */
  readonly measured?: {
    readonly epochs: readonly number[];
    readonly measure: (epoch: number, trained: Trained<Rest>) => Promise<void>;
  };
}

/** The part of a checkpoint that is not tensors. */
interface Position<Rest> {
  /** Steps that are done. */
  readonly step: number;
  readonly seconds: number;
  /** Of the epoch under way. */
  readonly sums: MeasureSums;
  readonly rest: Rest;
}

/**
 * @throws Diverged where the loss is not finite, RequestError for a checkpoint of another training, Interrupted where
 *   the user has asked to stop: everything is saved then
 */
export async function runTraining<Rest, Of extends StepBatch = Batch>(
  runtime: Runtime,
  training: Training<Rest, Of>,
): Promise<Trained<Rest>> {
  const { engine } = runtime;
  const saved = await restore(training);
  const state = stateOnDevice(engine, saved?.state ?? initialState(await training.initialParameters()));
  const start: Position<Rest> = saved?.position ?? { step: 0, seconds: 0, sums: {}, rest: training.initialRest };
  try {
    return await savingSteps(() => trainOn(runtime, training, state, start));
  } catch (error) {
    engine.free(state.parameters);
    throw error;
  } finally {
    engine.free(state.optimizer);
  }
}

async function trainOn<Rest, Of extends StepBatch>(
  { engine, progress, signal }: Runtime,
  training: Training<Rest, Of>,
  state: DeviceState,
  start: Position<Rest>,
): Promise<Trained<Rest>> {
  const { label, epochs, schedule, loader, checkpoint, hooks, unit = 'images' } = training;
  const { measured } = hooks;
  const perEpoch = loader.batchesPerEpoch;
  let done = start;
  const trained = (): Trained<Rest> => ({ parameters: state.parameters, rest: done.rest, seconds: done.seconds });
  const save = () => saveCheckpoint(engine, checkpoint.file, checkpoint.fingerprint, state, JSON.stringify(done));
  const first = { epoch: Math.floor(done.step / perEpoch), index: done.step % perEpoch };
  await hooks.onStart(first.epoch);
  if (first.index === 0 && measured?.epochs.includes(first.epoch)) await measured.measure(first.epoch, trained());
  const step = training.stepOn(state);
  progress.start(label, schedule.steps, {}, done.step);
  let clock = performance.now();
  let savedAt = clock;
  for await (const batch of loader.batches({ ...first, epochs: epochs - first.epoch })) {
    done = await advance(training, step, batch, done);
    const now = performance.now();
    const usual = (done.seconds - start.seconds) / (done.step - 1 - start.step);
    done = { ...done, seconds: done.seconds + secondsOfStep((now - clock) / 1000, usual) };
    clock = now;
    progress.update(done.step, {
      epoch: `${batch.epoch + 1}/${epochs}`,
      loss: done.sums['loss']!.last.toFixed(3),
      // Of this call: a computer that was stopped, or another one, may have computed the steps before.
      [`${unit}/s`]: ((batch.indices.length * (done.step - start.step)) / (done.seconds - start.seconds)).toFixed(0),
      ...(engine.deviceMemory && { card: `${(engine.deviceMemory() / 1e9).toFixed(1)} GB` }),
    });
    const epochEnds = batch.index === perEpoch - 1;
    const isLast = done.step === schedule.steps;
    if (epochEnds) {
      await hooks.onEpoch({ epoch: batch.epoch + 1, step: done.step, means: meansOf(done.sums) }, trained());
      done = { ...done, sums: {} };
    }
    const isMeasured = epochEnds && (measured?.epochs.includes(batch.epoch + 1) ?? false);
    if (isMeasured || isLast || signal.aborted || now - savedAt > checkpoint.minutes * 60_000) {
      await save();
      savedAt = performance.now();
    }
    if (signal.aborted && !isLast) {
      throw new Interrupted(`stopped after step ${done.step} of ${schedule.steps} of ${label}; everything is saved`);
    }
    if (isMeasured) {
      await measured!.measure(batch.epoch + 1, trained());
      progress.start(label, schedule.steps, {}, done.step);
    }
    if (epochEnds) clock = performance.now(); // notes and measurements are no training
  }
  progress.stop();
  return trained();
}

/** Longer than so many times the steps before, and than so many seconds, nothing computes. */
const pause = { times: 10, seconds: 30 };

/**
 * Seconds of training that a step counts for: `elapsed`, but as long as those before it, where the process was stopped on
 * the way (Ctrl-Z) or the computer slept.
 * @param usual mean of the steps before; NaN for the first
 */
export function secondsOfStep(elapsed: number, usual: number): number {
  return elapsed > Math.max(pause.seconds, pause.times * usual) ? usual : elapsed;
}

/** Makes one step. */
async function advance<Rest, Of extends StepBatch>(
  { schedule, remedy }: Training<Rest, Of>,
  run: Step<Rest, Of>,
  batch: Of,
  { step, sums, rest, seconds }: Position<Rest>,
): Promise<Position<Rest>> {
  const learningRate = learningRateAt(step, schedule);
  const { measures, subject, next } = await run(batch, { step, epoch: batch.epoch, learningRate }, rest);
  if (!Number.isFinite(measures.loss)) {
    const where = [...(subject ? [subject] : []), `learning rate ${learningRate.toExponential(2)}`].join(', ');
    throw new Diverged(
      `the loss is ${measures.loss} at step ${step} of ${schedule.steps} (${where})`,
      `${remedy}; the last checkpoint is kept.`,
    );
  }
  return { step: step + 1, seconds, sums: addMeasures(sums, measures), rest: next() };
}

async function restore<Rest, Of extends StepBatch>({ checkpoint }: Training<Rest, Of>) {
  const restored = await restoreCheckpoint(checkpoint.file, checkpoint.fingerprint);
  return restored && { state: restored.state, position: JSON.parse(restored.rest) as Position<Rest> };
}
