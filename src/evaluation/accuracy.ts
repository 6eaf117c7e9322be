/** Top-1 accuracy of one network on one split. */
import type * as tf from '@tensorflow/tfjs';
import type { BatchLoader } from '../data/batches/batches.js';
import type { Engine, Values } from '../engine/engine.js';
import { imagesOnDevice } from '../training/images/on-device.js';

/** Logits [batch, classes] of a network given as a tree of tensors. */
export type LogitsFunction<Network> = (network: Network, images: tf.Tensor) => tf.Tensor;

/**
 * @param key names the network's function for the engine's cache of programs
 * @returns percent of the split's images whose most probable class is their label
 */
export async function accuracyOf<Network>(
  engine: Engine,
  key: string,
  logits: LogitsFunction<Network>,
  network: Values<NoInfer<Network>>,
  loader: Pick<BatchLoader, 'batches'>,
): Promise<number> {
  interface Inputs {
    readonly network: Network;
    readonly images: tf.Tensor;
    readonly labels: tf.Tensor;
  }
  const count = engine.compile(`${key} accuracy`, ({ network, images, labels }: Inputs) => ({
    correct: logits(network, images).argMax(-1).equal(labels).cast('float32').sum(),
  }));
  let correct = 0;
  let seen = 0;
  for await (const batch of loader.batches()) {
    const inputs = { images: await imagesOnDevice(engine, batch.images), labels: engine.put(batch.labels) };
    const result = await count({ network, ...inputs });
    correct += (await engine.get(result.correct)).data[0]!;
    seen += batch.indices.length;
    engine.free({ ...inputs, result });
  }
  return (100 * correct) / seen;
}
