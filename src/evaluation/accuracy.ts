/** Which images of a split a network gets right, and its top-1 accuracy. */
import type * as tf from '@tensorflow/tfjs';
import type { BatchLoader } from '../data/batches/batches.js';
import type { Engine, Values } from '../engine/engine.js';
import { Diverged } from '../shared/errors.js';
import { imagesOnDevice } from '../training/images/on-device.js';

/** Logits [batch, classes] of a network given as a tree of tensors. */
export type LogitsFunction<Network> = (network: Network, images: tf.Tensor) => tf.Tensor;

/**
 * @param key names the network's function for the engine's cache of programs
 * @returns of each image of the split, in its order, whether its most probable class is its label
 * @throws Diverged where the network answers with what is no number
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
  const answer = engine.compile(`${key} accuracy`, ({ network, images, labels }: Inputs) => {
    const each = logits(network, images);
    return { correct: each.argMax(-1).equal(labels).cast('float32'), sums: each.sum(-1) };
  });
  const answers: boolean[] = [];
  for await (const batch of loader.batches()) {
    const inputs = { images: await imagesOnDevice(engine, batch.images), labels: engine.put(batch.labels) };
    const result = await answer({ network, ...inputs });
    const [{ data: right }, { data: sums }] = [await engine.get(result.correct), await engine.get(result.sums)];
    engine.free({ ...inputs, result });
    refuseDiverged(key, sums);
    // A batch may be filled up with images of no class.
    answers.push(...batch.indices.map((_, image) => right[image] === 1));
  }
  return answers;
}

/**
 * The loss of the last step is of the weights before it, so that training may end unnoticed with weights that overflow.
 * @param network what answers, for the message
 * @param sums of logits
 * @throws Diverged where one is not finite
 */
export function refuseDiverged(network: string, sums: ArrayLike<number>): void {
  const odd = Array.from(sums).find((sum) => !Number.isFinite(sum));
  if (odd === undefined) return;
  throw new Diverged(`${network} answers with logits whose sum is ${odd}`, 'Lower its learning rate.');
}

/** The same as one number. @returns percent of the split's images */
export async function accuracyOf<Network>(...args: Parameters<typeof answersOf<Network>>): Promise<number> {
  return percentRight(await answersOf(...args));
}

/** @param answers of each image, whether it is right */
export function percentRight(answers: readonly boolean[]): number {
  return (100 * answers.filter((right) => right).length) / answers.length;
}
