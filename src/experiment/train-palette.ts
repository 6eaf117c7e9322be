/**
 * Trains a palette: in each step one stitch of the space is drawn, learns, and earns its importance score. All that a
 * killed run needs is in one checkpoint: trained tensors, moments, importance scores, random state and position; so an
 * interrupted run ends with the numbers of an uninterrupted one.
 */
import { rm } from 'node:fs/promises';
import { peakLearningRate } from '../config/plan.js';
import type { Experiment } from '../config/schema.js';
import type { BatchLoader } from '../data/batches.js';
import type { Engine, Value } from '../engine/engine.js';
import { type Float32NdArray, float32 } from '../shared/arrays.js';
import { Interrupted, TrialError } from '../shared/errors.js';
import { appendJsonLine } from '../shared/files.js';
import type { Progress } from '../shared/progress.js';
import { Random, type RandomState } from '../shared/random.js';
import { type ImportanceScores, initialImportance, updateImportance } from '../stitching/importance.js';
import { drawStitch, type Sampling } from '../stitching/sampling.js';
import type { Stitch } from '../stitching/stitch.js';
import { frozenPathOf } from '../stitching/stitchable-network.js';
import { initialTrainables, trainablesOf } from '../stitching/trainables.js';
import { type StitchStepOutputs, stitchStep, type TeacherOutputs, teacherStep } from '../training/esta-step.js';
import { type Named, zeroMoments } from '../training/optimizer.js';
import { learningRateAt } from '../training/schedule.js';
import { restoreCheckpoint, saveCheckpoint, stateOnDevice } from './checkpoint.js';
import type { Palette } from './palette.js';

export interface PaletteTraining {
  readonly baseRate: number;
  readonly epochs: number;
  readonly seed: number;
  /** Everything that the numbers depend on, as text: a checkpoint of other settings is refused. */
  readonly identity: string;
  readonly checkpointFile: string;
  /** Gets a line for every epoch. */
  readonly metricsFile: string;
  readonly importanceFile: string;
  /** For people: "flowers12, learning rate 1e-3". */
  readonly label: string;
}

export interface TrainedPalette {
  /** All trained tensors of the space, by name. */
  readonly trainables: Named<Value>;
  readonly importance: ImportanceScores;
  /** Seconds of training, over all calls that it took. */
  readonly seconds: number;
}

/** What a step needs of its surroundings. */
export interface TrainingContext {
  readonly engine: Engine;
  readonly experiment: Experiment;
  readonly palette: Palette;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** The part of the state that is not tensors. */
interface Position {
  readonly step: number;
  readonly importance: ImportanceScores;
  readonly random: RandomState;
  readonly lossSum: number;
  readonly seconds: number;
}

export async function trainPalette(
  context: TrainingContext,
  loader: BatchLoader,
  training: PaletteTraining,
): Promise<TrainedPalette> {
  const { engine, experiment, palette, progress, signal } = context;
  const { epochs, seed, identity, checkpointFile } = training;
  const start = initialTrainables(palette.space, palette.network, seed);
  const restored = await restoreCheckpoint(checkpointFile, identity);
  const state = stateOnDevice(engine, restored?.state ?? { parameters: start, moments: zeroMoments(start) });
  const position: Position = restored
    ? (JSON.parse(restored.rest['position']!) as Position)
    : {
        step: 0,
        importance: initialImportance(palette.space.stitches.length, experiment.sampling.eta),
        random: Random.of(seed, 'stitches').save(),
        lossSum: 0,
        seconds: 0,
      };
  let { importance, lossSum, seconds } = position;
  const random = Random.restore(position.random);
  const sampling = samplingOf(experiment);
  const run = stepRunner(context, state);
  const perEpoch = loader.batchesPerEpoch;
  const steps = perEpoch * epochs;
  const warmup = Math.min(experiment.training.warmup_epochs, epochs) * perEpoch;
  const peak = peakLearningRate(training.baseRate, experiment.training.batch_size);

  progress.start(training.label, steps);
  let clock = performance.now();
  let saved = clock;
  const save = async (step: number) => {
    const rest: Position = { step, importance, random: random.save(), lossSum, seconds };
    await saveCheckpoint(engine, checkpointFile, identity, state, { position: JSON.stringify(rest) });
    saved = performance.now();
  };
  const first = { epoch: Math.floor(position.step / perEpoch), index: position.step % perEpoch };
  for await (const batch of loader.batches({ ...first, epochs: epochs - first.epoch })) {
    const step = batch.epoch * perEpoch + batch.index;
    const id = drawStitch(sampling, { epoch: batch.epoch, importance, bins: palette.bins }, random);
    const rate = learningRateAt(step, peak, warmup, steps);
    const { loss, saliency } = await run(palette.space.stitches[id]!, batch.images, batch.labels, rate);
    if (!Number.isFinite(loss)) {
      throw new TrialError(
        `the loss is ${loss} at step ${step} of ${steps} (stitch ${id}, learning rate ${rate.toExponential(2)})`,
        'Lower training.base_learning_rates; the last checkpoint is kept.',
      );
    }
    importance = updateImportance(importance, id, saliency);
    lossSum += loss;
    seconds += (performance.now() - clock) / 1000;
    clock = performance.now();
    progress.update(step + 1, {
      epoch: `${batch.epoch + 1}/${epochs}`,
      loss: loss.toFixed(3),
      'images/s': ((experiment.training.batch_size * (step + 1)) / seconds).toFixed(0),
    });
    if (batch.index === perEpoch - 1) {
      const epoch = batch.epoch + 1;
      const line = { epoch, step: step + 1, base_rate: training.baseRate, loss: lossSum / perEpoch, seconds };
      await appendJsonLine(training.metricsFile, line);
      await appendJsonLine(training.importanceFile, { epoch, base_rate: training.baseRate, scores: importance.scores });
      lossSum = 0;
    }
    const due = performance.now() - saved > experiment.training.checkpoint_minutes * 60_000;
    if (due || signal.aborted) await save(step + 1);
    if (signal.aborted && step + 1 < steps) {
      throw new Interrupted(`stopped after step ${step + 1} of ${steps} of ${training.label}; everything is saved`);
    }
  }
  progress.stop();
  await rm(checkpointFile, { force: true });
  return { trainables: state.parameters, importance, seconds };
}

function samplingOf({ sampling }: Experiment): Sampling {
  const { strategy, warmup_epochs: warmupEpochs, temperature } = sampling;
  return strategy === 'uniform' ? { strategy } : { strategy, warmupEpochs, temperature };
}

type RunStep = (
  stitch: Stitch,
  images: Float32NdArray,
  labels: Parameters<Engine['put']>[0],
  rate: number,
) => Promise<{ loss: number; saliency: number }>;

/** Runs single steps on `state`, which it changes: the trained tensors of the stitch and the teacher are replaced. */
function stepRunner(
  { engine, experiment, palette }: TrainingContext,
  state: ReturnType<typeof stateOnDevice>,
): RunStep {
  const { space, network, variants, frozen, teacher } = palette;
  const { distillation, training } = experiment;
  const options = { variants, weightDecay: training.weight_decay, distillation };
  const namesOf = (stitch: Stitch) => Object.keys(trainablesOf(stitch, space, network));
  const teach = engine.compile('teacher', teacherStep(teacher, options));
  const teacherNames = namesOf(teacher);
  const pick = (values: Named<Value>, names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [name, values[name]!]));

  return async (stitch, images, labels, rate) => {
    const distils = distillation.enabled && stitch.id !== teacher.id;
    const own = namesOf(stitch);
    const names = distils ? [...new Set([...own, ...teacherNames])] : own;
    const batch = { images: engine.put(images), labels: engine.put(labels) };
    const taught = distils
      ? ((await teach({
          frozen: frozenPathOf(frozen, [teacher]),
          parameters: pick(state.parameters, teacherNames),
          ...batch,
        } as never)) as unknown as TeacherOutputs<Value>)
      : undefined;
    const step = engine.compile(`stitch ${stitch.id}${distils ? ' distilled' : ''}`, stitchStep(stitch, own, options));
    const { first, second, updates } = state.moments;
    const inputs = {
      frozen: frozenPathOf(frozen, [stitch]),
      parameters: pick(state.parameters, names),
      moments: { first: pick(first, names), second: pick(second, names), updates: pick(updates, names) },
      ...batch,
      rate: engine.put(float32([], Float32Array.of(rate))),
      ...(taught && { teacher: { logits: taught.logits, gradients: taught.gradients } }),
    };
    const result = (await step(inputs as never)) as unknown as StitchStepOutputs<Value>;
    const { parameters, moments } = inputs;
    engine.free({ ...batch, rate: inputs.rate, parameters, moments, ...(taught && { taught }) } as never);
    Object.assign(state.parameters, result.parameters);
    Object.assign(first, result.moments.first);
    Object.assign(second, result.moments.second);
    Object.assign(updates, result.moments.updates);
    const [loss, saliency] = [await engine.get(result.loss), await engine.get(result.saliency)];
    engine.free([result.loss, result.saliency]);
    return { loss: loss.data[0]!, saliency: saliency.data[0]! };
  };
}
