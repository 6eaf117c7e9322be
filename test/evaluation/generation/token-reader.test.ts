/** The graph that generates on the CPU says what the traced program says: of whole networks and of stitches. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Engine } from '../../../src/engine/engine.js';
import { createOnnxEngine } from '../../../src/engine/onnx/engine.js';
import { readerModel } from '../../../src/evaluation/generation/language-model.js';
import { graphReader, tokenReader, tracedReader } from '../../../src/evaluation/generation/token-reader.js';
import { type PartShape, type PathWeights, wholePath } from '../../../src/models/llama/cached.js';
import type { LlamaConfig } from '../../../src/models/llama/config.js';
import type { NdArray } from '../../../src/shared/arrays.js';
import { differenceOf, logitsOf, network, shapes, small, stitch } from './adapted-stitch.js';

const engine = await createOnnxEngine({ threads: 1 });
after(() => engine.dispose());

test('a stitch of float32 weights: prompts, tokens of several texts, and beams', async () => {
  const weights = stitch('float32');
  const expected = await logitsOf(tracedReader(engine, shapes, weights), 280);
  const actual = await logitsOf(graphReader(engine, shapes, weights), 280);
  assert.deepEqual(
    actual.map(({ length }) => length),
    [3, 3, 3, 1, 4].map((count) => count * 50),
  );
  assert.ok(differenceOf(actual, expected) < 1e-5, `${differenceOf(actual, expected)}`);
});

test('of weights of 8 bits: what is multiplied is rounded too, to one of 254 steps a block', async () => {
  const weights = stitch('8bit');
  const expected = await logitsOf(tracedReader(engine, shapes, weights), 280);
  const difference = differenceOf(await logitsOf(graphReader(engine, shapes, weights), 280), expected);
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
    await readerModel(reader, given).begin().read([3]);
    reader.dispose();
    return calls;
  };
  assert.deepEqual(await used(stitch('8bit'), shapes), ['graph']);
  assert.deepEqual(await used(stitch('float32'), shapes), ['program']);
  assert.deepEqual(await used(stitch('8bit'), shapes, false), ['program']);
  const narrow: LlamaConfig = { ...small, heads: 8, keyValueHeads: 4, headWidth: 4 };
  assert.deepEqual(await used(wholePath(network(narrow, '8bit')), [{ config: narrow, scale: 1 }]), ['program']);
});
