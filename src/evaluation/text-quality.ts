/** How well a language model predicts texts: cross-entropy and next-token accuracy over the tokens that are learned. */
import tf = require('@tensorflow/tfjs');

import type { TextLoader } from '../data/text/loader.js';
import type { Engine, Values } from '../engine/engine.js';
import { Diverged, RequestError } from '../shared/errors.js';
import { learnedTokens } from '../training/loss.js';
import type { LogitsFunction } from './accuracy.js';

export interface TextQuality {
  /** Cross-entropy, nats per token. */
  readonly loss: number;
  /** Tokens whose most probable prediction is right, percent. */
  readonly accuracy: number;
}

/**
 * Over all learned tokens of all texts, each counted once, whatever the batches.
 * @param key names the network's function for the engine's cache of programs
 * @throws RequestError where no token is learned: there is nothing to measure; Diverged where the loss is not finite
 */
export async function textQualityOf<Network>(
  engine: Engine,
  key: string,
  logits: LogitsFunction<Network>,
  network: Values<NoInfer<Network>>,
  loader: Pick<TextLoader, 'batches'>,
): Promise<TextQuality> {
  interface Inputs {
    readonly network: Network;
    readonly ids: tf.Tensor;
    readonly labels: tf.Tensor;
  }
  const measure = engine.compile(`${key} text quality`, ({ network, ids, labels }: Inputs) => {
    const { logProbabilities, right, learned } = learnedTokens(logits(network, ids), labels);
    return { sums: tf.stack([logProbabilities.sum().neg(), right.sum(), learned.sum()]) };
  });
  let [loss, right, tokens] = [0, 0, 0];
  let isLearned = false;
  for await (const { parts } of loader.batches()) {
    for (const part of parts) {
      const inputs = { ids: engine.put(part.ids), labels: engine.put(part.labels) };
      const result = await measure({ network, ...inputs });
      const [a, b, c] = (await engine.get(result.sums)).data as Float32Array;
      loss += a!;
      right += b!;
      tokens += c!;
      const length = part.labels.shape.at(-1)!;
      isLearned ||= part.labels.data.some((label, index) => index % length > 0 && label >= 0);
      engine.free({ ...inputs, result });
    }
  }
  if (!isLearned) {
    throw new RequestError(
      'the texts hold no token that is learned: there is nothing to measure their quality by',
      'Raise text.cutoff, so that it leaves some of the answers, or set text.train_on_inputs: true.',
    );
  }
  if (!Number.isFinite(loss)) {
    throw new Diverged(`the cross-entropy of ${key} is ${loss / tokens}`, 'Lower its learning rate.');
  }
  return { loss: loss / tokens, accuracy: (100 * right) / tokens };
}
