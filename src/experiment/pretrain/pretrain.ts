/**
 * The story of a pretraining: a family of anchors from scratch on one folder of images, one after the other.
 * Everything that a killed run needs is in one checkpoint file, so that the same command goes on where it stopped and
 * ends with the same numbers: batches and mixup depend on seed and position alone.
 */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { Pretraining } from '../../config/schema/pretraining.js';
import { type BatchLoader, openBatches } from '../../data/batches/batches.js';
import type { Dataset } from '../../data/dataset.js';
import { readImageFolder } from '../../data/image-folder.js';
import type { Preprocessing } from '../../data/images/preprocessing.js';
import type { Engine, Value } from '../../engine/engine.js';
import { toHost } from '../../engine/transfer.js';
import { accuracyOf } from '../../evaluation/accuracy.js';
import { type Architecture, imageInputOf } from '../../models/architecture.js';
import { architectureNamed } from '../../models/architectures.js';
import { fromScratch } from '../../models/from-scratch.js';
import { openSafetensors, writeSafetensors } from '../../models/pretrained/formats/safetensors.js';
import { type Float32NdArray, float32 } from '../../shared/arrays.js';
import { Interrupted, RequestError, TrialError } from '../../shared/errors.js';
import { appendJsonLine, exists, writeAtomic } from '../../shared/files.js';
import type { Progress } from '../../shared/progress.js';
import { Random } from '../../shared/random.js';
import { namedLeaves, treeOf } from '../../training/parameters.js';
import { dropsPatches, keptTokens } from '../../training/patch-dropout.js';
import { learningRateAt } from '../../training/schedule.js';
import { supervisedStep } from '../../training/supervised-step.js';
import { initialState, mapState, stateOnDevice, type TrainingState } from '../../training/training-state.js';
import { checkFamily } from '../space.js';
import { restoreCheckpoint, saveCheckpoint } from '../trial/checkpoint.js';

export interface PretrainedAnchorResult {
  readonly name: string;
  readonly file: string;
  readonly epochs: number;
  /** Top-1 on the validation split, percent. */
  readonly accuracy: number;
}

/** Minutes between two checkpoints. */
const checkpointMinutes = 5;

export interface PretrainingSurroundings {
  readonly engine: Engine;
  readonly progress: Progress;
  /** Aborted by Ctrl-C: the step under way is finished, everything is saved. */
  readonly signal: AbortSignal;
}

/** @throws RequestError, TrialError, Interrupted */
export async function pretrain(
  config: Pretraining,
  { engine, progress, signal }: PretrainingSurroundings,
): Promise<PretrainedAnchorResult[]> {
  // 1. The images, decoded once for all anchors, and so prepared alike.
  const [first] = architecturesOf(config);
  const dataset = await readImageFolder({ name: config.name, root: config.data.root });
  const [train, validation] = await openSplits(config, dataset, imageInputOf(first!).preprocessing, progress);
  const results: PretrainedAnchorResult[] = [];
  try {
    for (const anchor of config.anchors) {
      // 2. One anchor, unless an earlier call has finished it.
      const file = path.join(config.output, `${anchor.architecture}.safetensors`);
      const finished = await finishedResult(file, anchor.name);
      results.push(
        finished ??
          (await pretrainAnchor(config, anchor, file, dataset, { engine, progress, signal, train, validation })),
      );
    }
  } finally {
    await train.close();
    await validation.close();
  }
  // 3. The family's record, which stays true where the folder is moved.
  const record = { config, results: results.map((result) => ({ ...result, file: path.basename(result.file) })) };
  await writeAtomic(path.join(config.output, 'pretraining.json'), `${JSON.stringify(record, null, 2)}\n`);
  return results;
}

interface Resources extends PretrainingSurroundings {
  readonly train: BatchLoader;
  readonly validation: BatchLoader;
}

/** @throws RequestError for networks that cannot be trained so */
function architecturesOf({ anchors, data, training: { patch_dropout } }: Pretraining): Architecture[] {
  const architectures = anchors.map(({ architecture }) => architectureNamed(architecture, data.image_size));
  checkFamily(anchors, architectures);
  const whole = architectures.find((architecture) => !fromScratch(architecture).patches);
  if (whole && patch_dropout > 0) {
    throw new RequestError(
      `training.patch_dropout: expected 0 for ${whole.name}, received ${patch_dropout}`,
      'Only a vision transformer can leave out patches: a convolution needs the whole image.',
    );
  }
  return architectures;
}

async function openSplits(
  { seed, training }: Pretraining,
  { splits }: Dataset,
  preprocessing: Preprocessing,
  progress: Progress,
): Promise<[BatchLoader, BatchLoader]> {
  const { crop_scale: scale, flip, color_jitter: jitter } = training.augmentation;
  const counted = (label: string, total: number) => {
    progress.start(label, total);
    return (done: number) => progress.update(done);
  };
  const train = await openBatches({
    samples: splits.train,
    preprocessing,
    augmentation: {
      crop: { scale, ratio: [3 / 4, 4 / 3] },
      flip,
      ...(jitter > 0 && { jitter: { brightness: jitter, contrast: jitter, saturation: jitter } }),
    },
    batchSize: training.batch_size,
    shuffle: true,
    seed,
    lastBatch: 'drop',
    onProgress: counted('decoding training images', splits.train.length),
  });
  const samples = splits.val ?? splits.test;
  const onProgress = counted('decoding validation images', samples.length);
  const validation = await openBatches({ samples, preprocessing, batchSize: 200, onProgress });
  progress.stop();
  return [train, validation];
}

async function pretrainAnchor(
  config: Pretraining,
  anchor: Pretraining['anchors'][number],
  file: string,
  { classes }: Dataset,
  { engine, progress, signal, train, validation }: Resources,
): Promise<PretrainedAnchorResult> {
  const { seed } = config;
  const { epochs = config.training.epochs, learning_rate = config.training.learning_rate } = anchor;
  const training = { ...config.training, epochs, learning_rate };
  const family = fromScratch(architectureNamed(anchor.architecture, config.data.image_size));
  const start = family.fresh(classes.length, Random.of(seed, 'weights', anchor.name));
  const checkpoint = `${file}.partial`;
  const identity = JSON.stringify({ seed, training, anchor, data: config.data, classes: classes.length });
  const restored = await restoreCheckpoint(checkpoint, identity);
  const named = namedLeaves<Float32NdArray>(start);
  const state = restored?.state ?? initialState(named);
  let held: TrainingState<Value> = stateOnDevice(engine, state);
  const first = Number(restored?.rest['step'] ?? 0);
  let lossSum = Number(restored?.rest['loss_sum'] ?? 0);

  const step = engine.compile(
    `pretrain ${anchor.architecture}`,
    supervisedStep(family, {
      classes: classes.length,
      weightDecay: training.weight_decay,
      labelSmoothing: training.label_smoothing,
    }),
  );
  const keptOf = (step: number) =>
    engine.put(keptTokens(family.patches!, training.patch_dropout, Random.of(seed, 'patches', step)));
  const perEpoch = train.batchesPerEpoch;
  const steps = perEpoch * training.epochs;
  const save = (done: number) =>
    saveCheckpoint(engine, checkpoint, identity, held, {
      step: String(done),
      loss_sum: String(lossSum),
    });
  const measure = () =>
    accuracyOf(engine, anchor.architecture, family.logits, treeOf(start, held.parameters), validation);

  progress.start(`${anchor.name} pretraining`, steps, {}, first);
  let saved = Date.now();
  const position = { epoch: Math.floor(first / perEpoch), index: first % perEpoch };
  const remaining = { ...position, epochs: training.epochs - position.epoch };
  for await (const batch of train.batches(remaining)) {
    const done = batch.epoch * perEpoch + batch.index;
    const scalar = (value: number) => engine.put(float32([], Float32Array.of(value)));
    const result = await step({
      state: mapState(held, (values) => treeOf(start, values)),
      images: engine.put(batch.images),
      labels: engine.put(batch.labels),
      rate: scalar(learningRateAt(done, training.learning_rate, training.warmup_epochs * perEpoch, steps)),
      mixupLambda: scalar(mixupLambda(training.mixup, Random.of(seed, 'mixup', done))),
      ...(dropsPatches(training.patch_dropout, batch.epoch, training.epochs) && { kept: keptOf(done) }),
    });
    engine.free(held);
    held = mapState(result.state, namedLeaves<Value>);
    const loss = (await engine.get(result.loss)).data[0]!;
    if (!Number.isFinite(loss)) throw notFinite(anchor.name, done, training.learning_rate);
    lossSum += loss;
    progress.update(done + 1, { epoch: `${batch.epoch + 1}/${training.epochs}`, loss: loss.toFixed(3) });
    if (batch.index === perEpoch - 1) {
      const epoch = batch.epoch + 1;
      const accuracy = epoch % 5 === 0 || epoch === training.epochs ? await measure() : undefined;
      const line = {
        anchor: anchor.name,
        epoch,
        loss: lossSum / perEpoch,
        ...(accuracy !== undefined && { accuracy }),
      };
      await appendJsonLine(path.join(config.output, 'metrics.jsonl'), line);
      lossSum = 0;
    }
    const epochEnds = batch.index === perEpoch - 1; // saved at once, so that no line is written twice
    if (epochEnds || signal.aborted || Date.now() - saved > checkpointMinutes * 60_000) {
      await save(done + 1);
      saved = Date.now();
    }
    if (signal.aborted) throw new Interrupted(`stopped after step ${done + 1} of ${steps} of ${anchor.name}`);
  }
  progress.stop();

  const accuracy = await measure();
  const network = treeOf(start, await toHost(engine, held.parameters));
  await writeSafetensors(file, family.stateDictOf(network), {
    dtype: 'F16',
    metadata: { architecture: anchor.architecture, epochs: String(training.epochs), accuracy: accuracy.toFixed(2) },
  });
  await rm(checkpoint, { force: true });
  return { name: anchor.name, file, epochs: training.epochs, accuracy };
}

/** Beta(alpha, alpha) by Joehnk's method, folded to the larger share; 1 without mixup. */
function mixupLambda(alpha: number, random: Random): number {
  if (alpha === 0) return 1;
  for (;;) {
    const x = random.uniform() ** (1 / alpha);
    const y = random.uniform() ** (1 / alpha);
    if (x + y <= 1 && x + y > 0) return Math.max(x, y) / (x + y);
  }
}

function notFinite(anchor: string, step: number, rate: number): TrialError {
  return new TrialError(
    `the loss of ${anchor} is not a number at step ${step} (peak learning rate ${rate})`,
    'Lower training.learning_rate; what was trained until the last checkpoint is kept.',
  );
}

async function finishedResult(file: string, name: string): Promise<PretrainedAnchorResult | undefined> {
  if (!(await exists(file))) return undefined;
  const open = await openSafetensors(file);
  const { epochs, accuracy } = open.metadata;
  await open.close();
  return { name, file, epochs: Number(epochs), accuracy: Number(accuracy) };
}
