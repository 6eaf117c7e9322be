/** What a pretrained network says about single images, prepared as its pretraining evaluated them. */
import type * as tf from '@tensorflow/tfjs';
import { prepareEvaluationImage } from '../data/images/evaluation-image.js';
import type { Preprocessing } from '../data/images/preprocessing.js';
import { type BoundFunction, bind } from '../engine/bind.js';
import type { Engine } from '../engine/engine.js';
import { architectureNamed } from '../models/architectures.js';
import { runNetwork } from '../models/blockwise.js';
import { loadNetwork } from '../models/pretrained/load-network.js';
import { RequestError } from '../shared/errors.js';

/** A network that names classes, with its weights. */
export interface Classifier {
  readonly preprocessing: Preprocessing;
  /** What a user should know of the checkpoint, a sentence each; left out: nothing. */
  readonly notes?: readonly string[];
  /** Names in the order of the logits; left out where they are only numbered. */
  readonly classes?: readonly string[];
  /** Puts it on an engine: normalised images [batch, side, side, 3] -> logits [batch, classes]. */
  load(engine: Engine): BoundFunction<tf.Tensor, tf.Tensor>;
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

/** How images are prepared, where a user knows better than the checkpoint. */
export interface StatedPreprocessing extends Partial<Pick<Preprocessing, 'mean' | 'std' | 'interpolation'>> {
  /** Side of the crop as a share of the shorter edge, timm's crop_pct. */
  readonly cropShare?: number;
}

/**
 * A pretrained network with its own head.
 * @param checkpoint `embedded`, `hf-hub:OWNER/NAME`, a folder, or a file
 * @throws RequestError when the checkpoint has no head
 */
export async function pretrainedClassifier(
  checkpoint: string,
  name: string,
  { cropShare, ...stated }: StatedPreprocessing = {},
): Promise<Classifier> {
  const architecture = architectureNamed(name);
  const { weights, head, report } = await loadNetwork(checkpoint, architecture);
  if (!head) {
    throw new RequestError(
      `${report.location} holds no classifier, so that it cannot name classes`,
      'Give a checkpoint with its head, or train one with esta run.',
    );
  }
  const { preprocessing, assumed, notes } = report;
  if (!preprocessing) throw new RequestError(`${name} reads no images`, 'Choose a network that does.');
  return {
    preprocessing: {
      ...preprocessing,
      ...(cropShare && { resize: { size: Math.floor(preprocessing.crop / cropShare), keepAspect: true } }),
      ...stated,
    },
    // Who states mean and std need not be told what is assumed.
    notes: assumed && !(stated.mean && stated.std) ? [...notes, assumed] : notes,
    load: (engine) =>
      bind(engine, `predict ${architecture.name}`, { weights, head }, ({ weights, head }, images: tf.Tensor) =>
        runNetwork(architecture, weights, head, images),
      ),
  };
}

/**
 * @param images files
 * @param top how many classes are named for each image
 * @param onUnreadable told of an image that cannot be read, the others are classified; left out: it ends the call
 * @throws RequestError when an image cannot be read
 */
export async function predict(
  engine: Engine,
  { preprocessing, classes, load }: Classifier,
  images: readonly string[],
  top: number,
  onUnreadable?: (image: string, error: RequestError) => void,
): Promise<Prediction[]> {
  const network = load(engine);
  const predictions: Prediction[] = [];
  // One by one: memory does not grow with the number of images, and one program serves them all.
  for (const image of images) {
    const prepared = await prepareEvaluationImage(image, preprocessing).catch((error: unknown) => {
      if (!onUnreadable || !(error instanceof RequestError)) throw error;
      onUnreadable(image, error);
      return undefined;
    });
    if (!prepared) continue;
    const input = engine.put(prepared);
    const output = await network.run(input);
    const logits = Array.from((await engine.get(output)).data);
    engine.free([input, output]);
    const named = topClasses(logits, top).map((entry) => ({
      ...entry,
      ...(classes && { name: classes[entry.class]! }),
    }));
    predictions.push({ image, top: named, logits });
  }
  network.free();
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
