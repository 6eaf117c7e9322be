/** Trains a family of anchors in the same steps: views, mixup and patches depend on seed and position alone. */
import type * as tf from '@tensorflow/tfjs';
import type { BatchLoader, RawBatch } from '../../data/batches/batches.js';
import type { Preprocessing } from '../../data/images/preprocessing.js';
import type { Value } from '../../engine/engine.js';
import { toHost } from '../../engine/transfer.js';
import { accuracyOf } from '../../evaluation/accuracy.js';
import type { FromScratch, Network } from '../../models/from-scratch.js';
import { type Float32NdArray, float32, int32 } from '../../shared/arrays.js';
import { appendJsonLine, keepJsonLines } from '../../shared/files.js';
import { mean } from '../../shared/groups.js';
import { Random } from '../../shared/random.js';
import { runTraining, type Step } from '../../training/loop.js';
import { namedLeaves, stepTree, treeOf } from '../../training/parameters.js';
import { dropsPatches, keptTokens } from '../../training/patch-dropout.js';
import type { Runtime } from '../../training/runtime.js';
import { learningRateAt } from '../../training/schedule.js';
import { StackedForm, type StackedNetwork } from '../../training/together/stacked-network.js';
import { type Family, type TogetherOptions, togetherSteps } from '../../training/together/together-step.js';
import type { DeviceState, Named } from '../../training/training-state.js';
import type { MeasuredAnchor } from './anchor-file.js';
import { checkpointMinutes, type EpochLine, isMeasured } from './anchor-training.js';
import { mixupLambda } from './mixup.js';

export interface TogetherAnchor {
  readonly name: string;
  readonly architecture: string;
  readonly family: FromScratch;
  readonly start: Network<Float32NdArray>;
  readonly peakLearningRate: number;
}

/** How the anchors are trained. */
export interface TogetherTraining {
  readonly anchors: readonly TogetherAnchor[];
  /** Name of the largest, from which the others learn. */
  readonly teacher: string;
  readonly distillation: number;
  readonly clipNorm: number;
  /** Steps of one program. */
  readonly steps: number;
  readonly classes: number;
  readonly seed: number;
  readonly epochs: number;
  readonly warmupEpochs: number;
  readonly weightDecay: number;
  readonly labelSmoothing: number;
  /** alpha; 0: none */
  readonly mixup: number;
  /** Share of the patches that a step leaves out. */
  readonly patchDropout: number;
  readonly preprocessing: Preprocessing;
  readonly jitters: boolean;
  /** Images of all steps of a program at once. */
  readonly train: BatchLoader<RawBatch>;
  readonly validation: BatchLoader;
  readonly checkpoint: string;
  /** Everything that the numbers depend on. */
  readonly fingerprint: string;
  /** A line for each epoch of each anchor. */
  readonly metricsFile: string;
  /** Called with each network as it is, whenever it was measured. */
  readonly onMeasured: (name: string, measured: MeasuredAnchor) => Promise<void>;
}

/** @returns the anchors by their names */
export async function trainTogether(
  runtime: Runtime,
  training: TogetherTraining,
): Promise<ReadonlyMap<string, MeasuredAnchor>> {
  const { anchors, epochs, train, metricsFile } = training;
  const { engine } = runtime;
  const learners = anchors.map((anchor) => {
    return { ...anchor, logits: anchor.family.logits, form: new StackedForm(anchor.start) };
  });
  const stacked: Family<Float32NdArray> = Object.fromEntries(
    learners.map(({ name, form, start }) => [name, form.stack(start)]),
  );
  const measure = async (parameters: Named<Value>, epoch: number) => {
    const values = treeOf(stacked, parameters);
    const measured = new Map<string, MeasuredAnchor>();
    for (const { name, architecture, logits, form } of learners) {
      const accuracy = await accuracyOf(
        engine,
        `stacked ${architecture}`,
        (network: StackedNetwork<tf.Tensor>, images) => logits(form.unstack(network), images),
        values[name]!,
        training.validation,
      );
      const network = form.networkOf(await toHost(engine, values[name]!));
      measured.set(name, { network, epoch, accuracy });
    }
    return measured;
  };
  const perEpoch = train.batchesPerEpoch;
  let last: ReadonlyMap<string, MeasuredAnchor> | undefined;
  const { parameters } = await runTraining<null, RawBatch>(runtime, {
    label: `${anchors.map(({ name }) => name).join(', ')} pretraining`,
    epochs,
    schedule: {
      steps: perEpoch * epochs,
      warmupSteps: perEpoch * training.warmupEpochs,
      peakLearningRate: Math.max(...anchors.map(({ peakLearningRate }) => peakLearningRate)),
    },
    loader: train,
    checkpoint: { file: training.checkpoint, fingerprint: training.fingerprint, minutes: checkpointMinutes },
    initialParameters: async () => namedLeaves<Float32NdArray>(stacked),
    initialRest: null,
    stepOn: (state) => familySteps(runtime, training, learners, stacked, state),
    remedy: 'Lower training.learning_rate',
    hooks: {
      onStart: (epochsDone) => keepJsonLines<EpochLine>(metricsFile, ({ epoch }) => epoch <= epochsDone),
      async onEpoch({ epoch, means }, { parameters }) {
        last = isMeasured(epoch, epochs) ? await measure(parameters, epoch) : undefined;
        for (const { name } of learners) {
          const measured = last?.get(name);
          const accuracy = measured && { accuracy: measured.accuracy };
          const line: EpochLine = { anchor: name, epoch, loss: means[lossOf(name)]!, ...accuracy };
          await appendJsonLine(metricsFile, line);
          if (measured) await training.onMeasured(name, measured);
        }
      },
    },
  });
  last ??= await measure(parameters, epochs);
  engine.free(parameters);
  return last;
}

/** Among the measures of a step; an anchor may be called `loss`, as the mean of all is. */
function lossOf(anchor: string): string {
  return `loss of ${anchor}`;
}

interface StackedLearner extends TogetherAnchor {
  readonly logits: FromScratch['logits'];
  readonly form: StackedForm;
}

function familySteps(
  { engine }: Runtime,
  training: TogetherTraining,
  learners: readonly StackedLearner[],
  stacked: Family<Float32NdArray>,
  state: DeviceState,
): Step<null, RawBatch> {
  const { steps, seed, mixup, patchDropout, epochs, train, warmupEpochs } = training;
  const { classes, weightDecay, labelSmoothing, distillation, teacher, clipNorm, preprocessing, jitters } = training;
  const options: TogetherOptions = {
    ...{ classes, weightDecay, labelSmoothing, distillation, teacher, clipNorm, jitters },
    preprocessing: { mean: preprocessing.mean, std: preprocessing.std },
  };
  const architectures = learners.map(({ architecture }) => architecture);
  const run = engine.compile(
    `pretrain together ${architectures} ${JSON.stringify(options)}`,
    togetherSteps(learners, options),
  );
  const perEpoch = steps * train.batchesPerEpoch;
  const schedule = { steps: perEpoch * epochs, warmupSteps: perEpoch * warmupEpochs };
  return async ({ images, views, labels }, position) => {
    const at = Array.from({ length: steps }, (_, index) => position.step * steps + index);
    const rates = at.flatMap((step) =>
      learners.map(({ peakLearningRate }) => learningRateAt(step, { ...schedule, peakLearningRate })),
    );
    const lambdas = at.map((step) => mixupLambda(mixup, Random.of(seed, 'mixup', step)));
    const kept = dropsPatches(patchDropout, position.epoch, epochs)
      ? at.map((step) => keptTokens(learners[0]!.family.patches!, patchDropout, Random.of(seed, 'patches', step)))
      : undefined;
    const given = {
      images: engine.put(images),
      views: engine.put(views),
      labels: engine.put(labels),
      rates: engine.put(float32([steps, learners.length], Float32Array.from(rates))),
      mixupLambdas: engine.put(float32([steps], Float32Array.from(lambdas))),
      ...(kept && {
        kept: engine.put(int32([steps, kept[0]!.shape[0]!], Int32Array.from(kept.flatMap(({ data }) => [...data])))),
      }),
    };
    const measured = await stepTree(engine, stacked, state, given, run);
    const losses = (await engine.get(measured.losses)).data;
    engine.free(measured);
    // Means over the steps of the program.
    const means = learners.map(({ name }, learner) => {
      const ofLearner = at.map((_, index) => losses[index * learners.length + learner]!);
      return [lossOf(name), mean(ofLearner)] as const;
    });
    const loss = mean(means.map(([, ofLearner]) => ofLearner));
    return { measures: { ...Object.fromEntries(means), loss }, next: () => null };
  };
}
