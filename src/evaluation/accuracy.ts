/** Which images of a split a network gets right, and its top-1 accuracy. */
import type * as tf from '@tensorflow/tfjs';
import type { BatchLoader } from '../data/batches/batches.js';
import type { Engine, Values } from '../engine/engine.js';
import { imagesOnDevice } from '../training/images/on-device.js';

/** Logits [batch, classes] of a network given as a tree of tensors. */
export type LogitsFunction<Network> = (network: Network, images: tf.Tensor) => tf.Tensor;

/**
 * @param key names the network's function for the engine's cache of programs
 * @returns of each image of the split, in its order, whether its most probable class is its label
 */
export async function answersOf<Network>(
  engine: Engine,
  key: string,
  logits: LogitsFunction<Network>,
  network: Values<NoInfer<Network>>,
  loader: Pick<BatchLoader, 'batches'>,
): Promise<boolean[]> {
  interface Inputs {
    readonly network: Network;
    readonly images: tf.Tensor;
    readonly labels: tf.Tensor;
  }
  const answer = engine.compile(`${key} accuracy`, ({ network, images, labels }: Inputs) => ({
    correct: logits(network, images).argMax(-1).equal(labels).cast('float32'),
  }));
  const answers: boolean[] = [];
  for await (const batch of loader.batches()) {
    const inputs = { images: await imagesOnDevice(engine, batch.images), labels: engine.put(batch.labels) };
    const result = await answer({ network, ...inputs });
    const { data } = await engine.get(result.correct);
    // A batch may be filled up with images of no class.
    answers.push(...batch.indices.map((_, image) => data[image] === 1));
    engine.free({ ...inputs, result });
  }
  return answers;
}

/** The same as one number. @returns percent of the split's images */
export async function accuracyOf<Network>(...args: Parameters<typeof answersOf<Network>>): Promise<number> {
  return percentRight(await answersOf(...args));
}

/** @param answers of each image, whether it is right */
export function percentRight(answers: readonly boolean[]): number {
  return (100 * answers.filter((right) => right).length) / answers.length;
}
