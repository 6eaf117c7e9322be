/** What a pretrained network says about single images, prepared as its pretraining evaluated them. */
import type * as tf from '@tensorflow/tfjs';
import { prepareEvaluationImage } from '../data/evaluation-image.js';
import type { Engine, TensorFunction, Value } from '../engine/engine.js';
import { architectureNamed } from '../models/architectures.js';
import { type NetworkWeights, runNetwork } from '../models/blockwise.js';
import { loadNetwork } from '../models/checkpoint/load-network.js';
import type { Linear } from '../models/layers.js';
import type { Float32NdArray } from '../shared/arrays.js';
import { RequestError } from '../shared/errors.js';
import { mapTree, type Tree } from '../shared/tree.js';

export interface PredictionRequest {
  /** `embedded`, `hf-hub:OWNER/NAME`, a folder, or a file; its head is used. */
  readonly checkpoint: string;
  /** Name of the architecture the checkpoint belongs to. */
  readonly architecture: string;
  /** Image files. */
  readonly images: readonly string[];
  /** How many classes are named for each image. */
  readonly top: number;
}

export interface Prediction {
  readonly image: string;
  /** The most probable classes first; classes are numbered as the checkpoint's head numbers them. */
  readonly top: readonly { readonly class: number; readonly probability: number; readonly logit: number }[];
  /** Of all classes. */
  readonly logits: readonly number[];
}

/** @throws RequestError when the checkpoint has no head, or an image cannot be read */
export async function predict(
  engine: Engine,
  { checkpoint, architecture: name, images, top }: PredictionRequest,
): Promise<Prediction[]> {
  const architecture = architectureNamed(name);
  const { weights, head, report } = await loadNetwork(checkpoint, architecture);
  if (!head) {
    throw new RequestError(
      `${report.location} holds no classifier, so that it cannot name classes`,
      'Give a checkpoint with its head, or train one with esta run.',
    );
  }
  const isArray = (node: Tree<Float32NdArray>): node is Float32NdArray => 'dtype' in node;
  const network = mapTree({ weights, head } as never, isArray, (array) => engine.put(array));
  const logitsOf = engine.compile(`predict ${architecture.name}`, ((given: Inputs) => ({
    logits: runNetwork(architecture, given.network.weights, given.network.head, given.image),
  })) as unknown as TensorFunction);
  const predictions: Prediction[] = [];
  // One by one: memory does not grow with the number of images, and one program serves them all.
  for (const image of images) {
    const input = engine.put(await prepareEvaluationImage(image, architecture.preprocessing));
    const outputs = (await logitsOf({ network, image: input })) as { logits: Value };
    const logits = Array.from((await engine.get(outputs.logits)).data);
    engine.free([input, outputs.logits]);
    predictions.push({ image, top: topClasses(logits, top), logits });
  }
  engine.free(network);
  return predictions;
}

interface Inputs {
  readonly network: { readonly weights: NetworkWeights<tf.Tensor>; readonly head: Linear<tf.Tensor> };
  /** [1, side, side, 3] */
  readonly image: tf.Tensor;
}

/** The `count` largest logits with their probabilities by softmax over all; of equal ones the lower class comes first. */
export function topClasses(logits: readonly number[], count: number): Prediction['top'] {
  const largest = Math.max(...logits);
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
  return [...logits.keys()]
    .sort((a, b) => logits[b]! - logits[a]! || a - b)
    .slice(0, count)
    .map((index) => ({
      class: index,
      probability: Math.exp(logits[index]! - largest) / total,
      logit: logits[index]!,
    }));
}
