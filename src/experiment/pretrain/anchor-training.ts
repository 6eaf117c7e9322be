/** Trains one anchor: batches, mixup and patches depend on seed and position alone. */
import type { BatchLoader } from '../../data/batches/batches.js';
import type { Value } from '../../engine/engine.js';
import { accuracyOf } from '../../evaluation/accuracy.js';
import type { FromScratch, Network } from '../../models/from-scratch.js';
import { type Float32NdArray, float32 } from '../../shared/arrays.js';
import { appendJsonLine, keepJsonLines } from '../../shared/files.js';
import { Random } from '../../shared/random.js';
import { imagesOnDevice } from '../../training/images/on-device.js';
import { runTraining, type Step } from '../../training/loop.js';
import { namedLeaves, stepTree, treeOf } from '../../training/parameters.js';
import { dropsPatches, keptTokens } from '../../training/patch-dropout.js';
import type { Runtime } from '../../training/runtime.js';
import { supervisedStep } from '../../training/supervised-step.js';
import type { DeviceState, Named } from '../../training/training-state.js';
import { mixupLambda } from './mixup.js';

/** How an anchor is trained, whatever the file says about others. */
export interface AnchorTraining {
  readonly name: string;
  readonly architecture: string;
  readonly family: FromScratch;
  readonly start: Network<Float32NdArray>;
  readonly classes: number;
  readonly seed: number;
  readonly epochs: number;
  readonly warmupEpochs: number;
  readonly peakLearningRate: number;
  readonly weightDecay: number;
  readonly labelSmoothing: number;
  /** alpha; 0: none */
  readonly mixup: number;
  /** Share of the patches that a step leaves out. */
  readonly patchDropout: number;
  readonly train: BatchLoader;
  readonly validation: BatchLoader;
  readonly checkpoint: string;
  /** Everything that the numbers depend on. */
  readonly fingerprint: string;
  /** A line for each epoch of each anchor. */
  readonly metricsFile: string;
}

export interface TrainedAnchor {
  /** A network of the same form: tells where the parameters belong. */
  readonly template: Network<Float32NdArray>;
  readonly parameters: Named<Value>;
  /** Top-1 on the validation split, percent. */
  readonly accuracy: number;
}

/** A line of metrics.jsonl. */
export interface EpochLine {
  readonly anchor: string;
  readonly epoch: number;
  readonly loss: number;
  /** Top-1 on the validation split, percent; of every fifth epoch and the last. */
  readonly accuracy?: number;
}

export const checkpointMinutes = 5;

/** Whether the accuracy is measured after an epoch, counted from 1. */
export function isMeasured(epoch: number, epochs: number): boolean {
  return epoch % 5 === 0 || epoch === epochs;
}

export async function trainAnchor(runtime: Runtime, anchor: AnchorTraining): Promise<TrainedAnchor> {
  const { name, architecture, family, start, epochs, train, metricsFile } = anchor;
  const measure = (parameters: Named<Value>) =>
    accuracyOf(runtime.engine, architecture, family.logits, treeOf(start, parameters), anchor.validation);
  const perEpoch = train.batchesPerEpoch;
  const { parameters } = await runTraining<null>(runtime, {
    label: `${name} pretraining`,
    epochs,
    schedule: {
      steps: perEpoch * epochs,
      warmupSteps: perEpoch * anchor.warmupEpochs,
      peakLearningRate: anchor.peakLearningRate,
    },
    loader: train,
    checkpoint: { file: anchor.checkpoint, fingerprint: anchor.fingerprint, minutes: checkpointMinutes },
    initialParameters: async () => namedLeaves<Float32NdArray>(start),
    initialRest: null,
    stepOn: (state) => anchorSteps(runtime, anchor, start, state),
    // Its own: another rate for all would refuse the anchors that are done.
    remedy: `Lower anchors.${name}.learning_rate`,
    hooks: {
      onStart: (epochsDone) =>
        keepJsonLines<EpochLine>(metricsFile, (line) => line.anchor !== name || line.epoch <= epochsDone),
      async onEpoch({ epoch, means: { loss } }, { parameters }) {
        const accuracy = isMeasured(epoch, epochs) ? { accuracy: await measure(parameters) } : {};
        await appendJsonLine(metricsFile, { anchor: name, epoch, loss, ...accuracy } satisfies EpochLine);
      },
    },
  });
  return { template: start, parameters, accuracy: await measure(parameters) };
}

function anchorSteps(
  { engine }: Runtime,
  {
    name,
    architecture,
    family,
    classes,
    seed,
    epochs,
    weightDecay,
    labelSmoothing,
    mixup,
    patchDropout,
  }: AnchorTraining,
  template: Network<Float32NdArray>,
  state: DeviceState,
): Step<null> {
  const options = { classes, weightDecay, labelSmoothing };
  const run = engine.compile(`pretrain ${architecture} ${JSON.stringify(options)}`, supervisedStep(family, options));
  const scalar = (value: number) => engine.put(float32([], Float32Array.of(value)));
  return async ({ images, labels }, { step, epoch, learningRate }) => {
    const drops = dropsPatches(patchDropout, epoch, epochs);
    const given = {
      images: await imagesOnDevice(engine, images),
      labels: engine.put(labels),
      rate: scalar(learningRate),
      mixupLambda: scalar(mixupLambda(mixup, Random.of(seed, 'mixup', step))),
      ...(drops && { kept: engine.put(keptTokens(family.patches!, patchDropout, Random.of(seed, 'patches', step))) }),
    };
    const measured = await stepTree(engine, template, state, given, run);
    const loss = (await engine.get(measured.loss)).data[0]!;
    engine.free(measured);
    return { measures: { loss }, subject: name, next: () => null };
  };
}
