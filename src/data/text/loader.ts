/** Tokenised texts, epoch by epoch: what a step holds depends on the seed and its position alone. */
import { chunks } from '../../shared/groups.js';
import { Random } from '../../shared/random.js';
import type { BatchRange } from '../batches/batches.js';
import { orderByLength, type TextBatch, textBatch } from './batches.js';
import type { TokenisedText } from './tokenised-text.js';

export interface TextLoaderOptions {
  readonly texts: readonly TokenisedText[];
  /** Texts between two steps of the optimizer. */
  readonly batchSize: number;
  /** Texts that are computed at once; default all of a step. */
  readonly microBatchSize?: number;
  /** `given`: as they stand, for evaluation (default). `by length`: similar lengths together (`orderByLength`). */
  readonly order?: 'given' | 'shuffled' | 'by length';
  /** Of the order; default 0. */
  readonly seed?: number;
  /** Of the last batch of an epoch, where it is not full; default keep. */
  readonly lastBatch?: 'drop' | 'keep';
  /** As `textBatch` takes it. */
  readonly multiple?: number;
}

/** The texts of a step. */
export interface TextsOfStep {
  readonly epoch: number;
  readonly index: number;
  /** Positions in `texts`. */
  readonly indices: readonly number[];
  /** One after the other: each is padded by itself. */
  readonly parts: readonly TextBatch[];
}

export interface TextLoader {
  readonly batchesPerEpoch: number;
  batches(range?: BatchRange): AsyncGenerator<TextsOfStep, void, void>;
}

export function textLoader(options: TextLoaderOptions): TextLoader {
  const { texts, batchSize, microBatchSize = batchSize, lastBatch = 'keep', multiple } = options;
  const batchesPerEpoch = (lastBatch === 'drop' ? Math.floor : Math.ceil)(texts.length / batchSize);
  return {
    batchesPerEpoch,
    async *batches({ epoch = 0, index = 0, epochs = 1 } = {}) {
      for (let at = epoch; at < epoch + epochs; at++) {
        const order = orderOf(options, at);
        for (let batch = at === epoch ? index : 0; batch < batchesPerEpoch; batch++) {
          const indices = order.slice(batch * batchSize, (batch + 1) * batchSize);
          const parts = chunks(indices, microBatchSize).map((part) =>
            textBatch(
              part.map((text) => texts[text]!),
              multiple,
            ),
          );
          yield { epoch: at, index: batch, indices, parts };
        }
      }
    },
  };
}

function orderOf({ texts, batchSize, order = 'given', seed = 0 }: TextLoaderOptions, epoch: number): number[] {
  const all = [...texts.keys()];
  if (order === 'given') return all;
  const random = Random.of(seed, 'order', epoch);
  if (order === 'shuffled') return random.shuffled(all);
  return orderByLength(
    texts.map(({ ids }) => ids.length),
    batchSize,
    random,
  );
}
