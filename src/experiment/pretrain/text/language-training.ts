/** Trains one language model from scratch. */
import type * as tf from '@tensorflow/tfjs';
import type { TextLoader, TextsOfStep } from '../../../data/text/loader.js';
import type { Value } from '../../../engine/engine.js';
import { textQualityOf } from '../../../evaluation/text-quality.js';
import type { Architecture } from '../../../models/architecture.js';
import { runNetwork } from '../../../models/blockwise.js';
import type { NetworkWeights } from '../../../models/family.js';
import { initialWeights } from '../../../models/weights.js';
import { type Float32NdArray, float32 } from '../../../shared/arrays.js';
import { appendJsonLine, keepJsonLines } from '../../../shared/files.js';
import { Random } from '../../../shared/random.js';
import { languageStep } from '../../../training/language/language-step.js';
import { runTraining, type Step } from '../../../training/loop.js';
import { namedLeaves, stepTree, treeOf } from '../../../training/parameters.js';
import type { Runtime } from '../../../training/runtime.js';
import type { DeviceState, Named } from '../../../training/training-state.js';
import { checkpointMinutes } from '../anchor-training.js';
import type { LanguageTraining } from './language-identity.js';

export interface LanguageModelTraining {
  readonly name: string;
  readonly architecture: Architecture;
  readonly seed: number;
  readonly training: LanguageTraining;
  readonly train: TextLoader;
  readonly validation: TextLoader;
  readonly checkpoint: string;
  /** Everything that the numbers depend on. */
  readonly fingerprint: string;
  /** A line for each epoch of each network. */
  readonly metricsFile: string;
}

export interface TrainedLanguage {
  /** A network of the same form: tells where the parameters belong. */
  readonly template: NetworkWeights<Float32NdArray>;
  readonly parameters: Named<Value>;
  /** Cross-entropy of the validation sequences, nats per token. */
  readonly loss: number;
}

/** A line of metrics.jsonl. */
interface EpochLine {
  readonly anchor: string;
  readonly epoch: number;
  readonly loss: number;
  readonly validation_loss: number;
}

export async function trainLanguage(runtime: Runtime, model: LanguageModelTraining): Promise<TrainedLanguage> {
  const { name, architecture, seed, training, train, metricsFile } = model;
  const { epochs, warmup_epochs: warmupEpochs, learning_rate: peakLearningRate } = training;
  const template = initialWeights(architecture, Random.of(seed, 'weights', name));
  const validate = async (parameters: Named<Value>) => {
    const logits = (weights: NetworkWeights<tf.Tensor>, ids: tf.Tensor) =>
      runNetwork(architecture, weights, undefined, ids);
    const weights = treeOf(template, parameters);
    return (await textQualityOf(runtime.engine, architecture.name, logits, weights, model.validation)).loss;
  };
  const perEpoch = train.batchesPerEpoch;
  const { parameters } = await runTraining<null, TextsOfStep>(runtime, {
    label: `${name} pretraining`,
    epochs,
    schedule: { steps: perEpoch * epochs, warmupSteps: perEpoch * warmupEpochs, peakLearningRate },
    loader: train,
    unit: 'sequences',
    checkpoint: { file: model.checkpoint, fingerprint: model.fingerprint, minutes: checkpointMinutes },
    initialParameters: async () => namedLeaves<Float32NdArray>(template),
    initialRest: null,
    stepOn: (state) => languageSteps(runtime, model, template, state),
    // Its own: another rate for all would refuse the models that are done.
    remedy: `Lower anchors.${name}.learning_rate`,
    hooks: {
      onStart: (epochsDone) =>
        keepJsonLines<EpochLine>(metricsFile, (line) => line.anchor !== name || line.epoch <= epochsDone),
      async onEpoch({ epoch, means: { loss } }, { parameters }) {
        const line: EpochLine = { anchor: name, epoch, loss, validation_loss: await validate(parameters) };
        await appendJsonLine(metricsFile, line);
      },
    },
  });
  return { template, parameters, loss: await validate(parameters) };
}

function languageSteps(
  { engine }: Runtime,
  { name, architecture, training }: LanguageModelTraining,
  template: NetworkWeights<Float32NdArray>,
  state: DeviceState,
): Step<null, TextsOfStep> {
  const options = { weightDecay: training.weight_decay };
  const run = engine.compile(
    `pretrain ${architecture.name} ${JSON.stringify(options)}`,
    languageStep(architecture, options),
  );
  return async ({ parts: [part] }, { learningRate }) => {
    const given = {
      ids: engine.put(part!.ids),
      labels: engine.put(part!.labels),
      rate: engine.put(float32([], Float32Array.of(learningRate))),
    };
    const measured = await stepTree(engine, template, state, given, run);
    const loss = (await engine.get(measured.loss)).data[0]!;
    engine.free(measured);
    return { measures: { loss }, subject: name, next: () => null };
  };
}
