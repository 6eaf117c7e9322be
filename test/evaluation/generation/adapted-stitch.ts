/** A stitch of two small LLaMAs, adapted wherever it can be, and what readers say of texts. */
import { readerModel } from '../../../src/evaluation/generation/language-model.js';
import type { TokenReader } from '../../../src/evaluation/generation/reading.js';
import { publishedShape } from '../../../src/models/layouts.js';
import type { PartShape, PathWeights } from '../../../src/models/llama/cached.js';
import type { LlamaConfig } from '../../../src/models/llama/config.js';
import type { LlamaWeights } from '../../../src/models/llama/llama.js';
import { keptLeaf, treeOfLeaves } from '../../../src/models/llama/load.js';
import { llamaTensors } from '../../../src/models/llama/tensors.js';
import { type Float32NdArray, type NdArray, sizeOf } from '../../../src/shared/arrays.js';
import { Random } from '../../../src/shared/random.js';
import { randomArray } from '../../engine/tensors.js';

/** Heads of 8, the least that the graph takes; 40 is no multiple of a block. */
export const small: LlamaConfig = {
  ...{ width: 32, depth: 2, heads: 4, keyValueHeads: 2, headWidth: 8, mlpWidth: 40, vocabulary: 50 },
  ...{ epsilon: 1e-5, theta: 10000, contextLength: 512, tied: true, beginId: 1, endIds: [2] },
};
export const large: LlamaConfig = { ...small, width: 48, heads: 6, keyValueHeads: 3, mlpWidth: 64, tied: false };
const random = Random.of(0, 'token reader');

export function network(config: LlamaConfig, storage: 'float32' | '8bit'): LlamaWeights<NdArray> {
  const rows = llamaTensors(config);
  const drawn = Random.of(1, `${config.width}`);
  const leaves = new Map(
    rows.map((row) => {
      const shape = publishedShape(row.layout, row.shape);
      const data = Float32Array.from({ length: sizeOf(shape) }, () => 0.3 * drawn.normal());
      return [row, keptLeaf(row, { dtype: 'float32', shape, data }, storage)];
    }),
  );
  return treeOfLeaves(rows, leaves, storage);
}

/** One block of the small network, a stitching layer, one of the large one; everything adapted that can be. */
export function stitch(storage: 'float32' | '8bit'): PathWeights<NdArray> {
  const [front, rear] = [network(small, storage), network(large, storage)];
  const numbers = (...shape: number[]) => randomArray(random, shape) as Float32NdArray;
  const update = (from: number, to: number) => ({ down: numbers(from, 2), up: numbers(2, to) });
  return {
    embedding: front.embedding,
    parts: [
      { blocks: front.blocks.slice(0, 1), adapted: [{ query: { update: update(32, 32), bias: numbers(32) } }] },
      {
        entry: {
          layer: { weight: numbers(32, 48), bias: numbers(48) },
          update: update(32, 48),
          bias: numbers(48),
        },
        blocks: rear.blocks.slice(1),
        adapted: [{ value: { update: update(48, 24) }, down: { bias: numbers(48) } }],
      },
    ],
    norm: rear.norm,
    head: rear.head!,
  };
}

export const shapes: readonly PartShape[] = [
  { config: small, scale: 2 },
  { config: large, scale: 0.5 },
];
const texts = [0, 1, 2].map(() => Array.from({ length: 290 }, () => random.integer(small.vocabulary)));

/** Logits of the last of three texts side by side, after prompts of a length, one token and four, of a fourth text, and of beams. */
export async function logitsOf(reader: TokenReader, prompt: number): Promise<Float32Array[]> {
  const model = readerModel(reader, shapes);
  const together = model.begin(3, { most: 4 });
  let read = 0;
  const next = (count: number) => {
    read += count;
    return together.readAll(texts.map((ids) => ids.slice(read - count, read)));
  };
  const results = [await next(prompt), await next(1), await next(4)];
  results.push(await model.begin().read([3]));
  results.push(await together.select([2, 0, 2, 2]).readAll([[4], [5], [6], [7]]));
  model.dispose();
  return results;
}

/** Largest difference, by the largest logit. */
export function differenceOf(some: readonly Float32Array[], others: readonly Float32Array[]): number {
  const all = some.flatMap((logits, index) => Array.from(logits, (logit, at) => logit - others[index]![at]!));
  return Math.max(...all.map(Math.abs)) / Math.max(...others.flatMap((logits) => Array.from(logits, Math.abs)));
}
