/** What a pretrained network says about single images, prepared as its pretraining evaluated them. */
import type * as tf from '@tensorflow/tfjs';
import { prepareEvaluationImage } from '../data/images/evaluation-image.js';
import type { Preprocessing } from '../data/images/preprocessing.js';
import type { Engine, TensorFunction, Value } from '../engine/engine.js';
import { imageInputOf } from '../models/architecture.js';
import { architectureNamed } from '../models/architectures.js';
import { runNetwork } from '../models/blockwise.js';
import type { NetworkWeights } from '../models/family.js';
import type { Linear } from '../models/layers.js';
import { loadNetwork } from '../models/pretrained/load-network.js';
import { isFloat32 } from '../shared/arrays.js';
import { RequestError } from '../shared/errors.js';
import { mapTree } from '../shared/tree.js';

/** A network that names classes, with its weights. */
export interface Classifier {
  /** Tells its compiled program from others. */
  readonly name: string;
  /** A tree of host arrays. */
  readonly weights: object;
  readonly preprocessing: Preprocessing;
  /** Names in the order of the logits; left out where they are only numbered. */
  readonly classes?: readonly string[];
  /** Its weights as tensors, normalised images [batch, side, side, 3] -> logits [batch, classes]. */
  readonly logits: (weights: never, images: tf.Tensor) => tf.Tensor;
}

export interface Prediction {
  readonly image: string;
  /** The most probable classes first; classes are numbered in the order of the logits. */
  readonly top: readonly {
    readonly class: number;
    readonly name?: string;
    readonly probability: number;
    readonly logit: number;
  }[];
  /** Of all classes. */
  readonly logits: readonly number[];
}

interface PretrainedWeights<T> {
  readonly weights: NetworkWeights<T>;
  readonly head: Linear<T>;
}

/**
 * A pretrained network with its own head.
 * @param checkpoint `embedded`, `hf-hub:OWNER/NAME`, a folder, or a file
 * @throws RequestError when the checkpoint has no head
 */
export async function pretrainedClassifier(checkpoint: string, name: string): Promise<Classifier> {
  const architecture = architectureNamed(name);
  const { weights, head, report } = await loadNetwork(checkpoint, architecture);
  if (!head) {
    throw new RequestError(
      `${report.location} holds no classifier, so that it cannot name classes`,
      'Give a checkpoint with its head, or train one with esta run.',
    );
  }
  return {
    name: architecture.name,
    weights: { weights, head },
    preprocessing: imageInputOf(architecture).preprocessing,
    logits: ({ weights, head }: PretrainedWeights<tf.Tensor>, images) =>
      runNetwork(architecture, weights, head, images),
  };
}

/**
 * @param images files
 * @param top how many classes are named for each image
 * @throws RequestError when an image cannot be read
 */
export async function predict(
  engine: Engine,
  { name, weights, preprocessing, classes, logits: run }: Classifier,
  images: readonly string[],
  top: number,
): Promise<Prediction[]> {
  const network = mapTree(weights as never, isFloat32, (array) => engine.put(array));
  const logitsOf = engine.compile(`predict ${name}`, ((given: { network: never; image: tf.Tensor }) => ({
    logits: run(given.network, given.image),
  })) as unknown as TensorFunction);
  const predictions: Prediction[] = [];
  // One by one: memory does not grow with the number of images, and one program serves them all.
  for (const image of images) {
    const input = engine.put(await prepareEvaluationImage(image, preprocessing));
    const outputs = (await logitsOf({ network, image: input })) as { logits: Value };
    const logits = Array.from((await engine.get(outputs.logits)).data);
    engine.free([input, outputs.logits]);
    const named = topClasses(logits, top).map((entry) => ({
      ...entry,
      ...(classes && { name: classes[entry.class]! }),
    }));
    predictions.push({ image, top: named, logits });
  }
  engine.free(network);
  return predictions;
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
