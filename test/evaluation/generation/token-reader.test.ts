/** The graph that generates on the CPU says what the traced program says: of whole networks and of stitches. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Engine } from '../../../src/engine/engine.js';
import { createOnnxEngine } from '../../../src/engine/onnx/engine.js';
import { readerModel } from '../../../src/evaluation/generation/language-model.js';
import {
  graphReader,
  type TokenReader,
  tokenReader,
  tracedReader,
} from '../../../src/evaluation/generation/token-reader.js';
import { publishedShape } from '../../../src/models/layouts.js';
import { type PartShape, type PathWeights, wholePath } from '../../../src/models/llama/cached.js';
import type { LlamaConfig } from '../../../src/models/llama/config.js';
import type { LlamaWeights } from '../../../src/models/llama/llama.js';
import { keptLeaf, treeOfLeaves } from '../../../src/models/llama/load.js';
import { llamaTensors } from '../../../src/models/llama/tensors.js';
import { type Float32NdArray, type NdArray, sizeOf } from '../../../src/shared/arrays.js';
import { Random } from '../../../src/shared/random.js';
import { randomArray } from '../../engine/tensors.js';

const engine = await createOnnxEngine({ threads: 1 });
after(() => engine.dispose());

/** Heads of 8, the least that the graph takes; 40 is no multiple of a block. */
const small: LlamaConfig = {
  ...{ width: 32, depth: 2, heads: 4, keyValueHeads: 2, headWidth: 8, mlpWidth: 40, vocabulary: 50 },
  ...{ epsilon: 1e-5, theta: 10000, contextLength: 512, tied: true, beginId: 1, endIds: [2] },
};
const large: LlamaConfig = { ...small, width: 48, heads: 6, keyValueHeads: 3, mlpWidth: 64, tied: false };
const random = Random.of(0, 'token reader');

function network(config: LlamaConfig, storage: 'float32' | '8bit'): LlamaWeights<NdArray> {
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
function stitch(storage: 'float32' | '8bit'): PathWeights<NdArray> {
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

const shapes: readonly PartShape[] = [
  { config: small, scale: 2 },
  { config: large, scale: 0.5 },
];
const texts = [0, 1, 2].map(() => Array.from({ length: 290 }, () => random.integer(small.vocabulary)));

/** Logits of the last of three texts side by side, whose prompts need two chunks, of a fourth one, and of beams. */
async function logitsOf(reader: TokenReader, weights: PathWeights<NdArray>): Promise<Float32Array[]> {
  const model = readerModel(reader, shapes, weights);
  const together = model.begin(3);
  const results = [await together.readAll(texts.map((ids) => ids.slice(0, 280)))];
  results.push(await together.readAll(texts.map((ids) => ids.slice(280, 281))));
  results.push(await together.readAll(texts.map((ids) => ids.slice(281, 285))));
  results.push(await model.begin().read([3]));
  results.push(await together.select([2, 0, 2, 2]).readAll([[4], [5], [6], [7]]));
  results.push(await together.readAll(texts.map((ids) => ids.slice(285, 286))));
  model.dispose();
  return results;
}

/** Largest difference, by the largest logit. */
function differenceOf(some: readonly Float32Array[], others: readonly Float32Array[]): number {
  const all = some.flatMap((logits, index) => Array.from(logits, (logit, at) => logit - others[index]![at]!));
  return Math.max(...all.map(Math.abs)) / Math.max(...others.flatMap((logits) => Array.from(logits, Math.abs)));
}

test('a stitch of float32 weights: prompts, tokens of several texts, and beams', async () => {
  const weights = stitch('float32');
  const expected = await logitsOf(tracedReader(engine, shapes, weights), weights);
  const actual = await logitsOf(graphReader(engine, shapes, weights), weights);
  assert.deepEqual(
    actual.map(({ length }) => length),
    [3, 3, 3, 1, 4, 3].map((count) => count * 50),
  );
  assert.ok(differenceOf(actual, expected) < 1e-5, `${differenceOf(actual, expected)}`);
});

test('of weights of 8 bits: what is multiplied is rounded too, to one of 254 steps a block', async () => {
  const weights = stitch('8bit');
  const expected = await logitsOf(tracedReader(engine, shapes, weights), weights);
  const difference = differenceOf(await logitsOf(graphReader(engine, shapes, weights), weights), expected);
  assert.ok(difference < 0.05 && difference > 1e-5, `${difference}`);
});

test('the graph is chosen for weights of 8 bits, where the engine takes graphs and its operators take the heads', async () => {
  const used = async (weights: PathWeights<NdArray>, given: readonly PartShape[], takesGraphs = true) => {
    const calls: string[] = [];
    const watched: Engine = {
      ...engine,
      compile: (key, fn) => {
        calls.push('program');
        return engine.compile(key, fn);
      },
      ...(takesGraphs && {
        openGraph: (graph) => {
          calls.push('graph');
          return engine.openGraph!(graph);
        },
      }),
    };
    if (!takesGraphs) delete watched.openGraph;
    const reader = tokenReader(watched, given, weights);
    await readerModel(reader, given, weights).begin().read([3]);
    reader.dispose();
    return calls;
  };
  assert.deepEqual(await used(stitch('8bit'), shapes), ['graph']);
  assert.deepEqual(await used(stitch('float32'), shapes), ['program']);
  assert.deepEqual(await used(stitch('8bit'), shapes, false), ['program']);
  const narrow: LlamaConfig = { ...small, heads: 8, keyValueHeads: 4, headWidth: 4 };
  assert.deepEqual(await used(wholePath(network(narrow, '8bit')), [{ config: narrow, scale: 1 }]), ['program']);
});
