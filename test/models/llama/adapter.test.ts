/** A network with an adapter: merged while it is read, against updates that run beside its weights. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import type * as tf from '@tensorflow/tfjs';
import { createOnnxEngine } from '../../../src/engine/onnx/engine.js';
import { languageModel } from '../../../src/evaluation/generation/language-model.js';
import { llamaArchitecture } from '../../../src/models/llama/architecture.js';
import { type LlamaBlockAdaptation, type LlamaWeights, runLlama } from '../../../src/models/llama/llama.js';
import { loadLlama } from '../../../src/models/llama/load.js';
import { readAdapter, writeAdapter } from '../../../src/models/peft/adapter.js';
import { permuted } from '../../../src/models/pretrained/formats/layout.js';
import { quantised } from '../../../src/models/quantise.js';
import { type Float32NdArray, float32, int32 } from '../../../src/shared/arrays.js';
import { Random } from '../../../src/shared/random.js';
import { segmentAdapter } from '../../../src/stitching/parameters/adapter.js';
import { noTrainables } from '../../../src/stitching/parameters/trainables.js';
import { temporaryFolder } from '../../data/official/temporary-folder.js';
import { assertClose, onReference, randomArray } from '../../engine/tensors.js';
import { fixture } from '../../fixture.js';
import { tinyLlama, writeTinyLlama } from './tiny-llama.js';

const tiny = tinyLlama();
const scale = 2;
const architecture = llamaArchitecture('tiny', tiny.config, 8, { scale });
const random = Random.of(0, 'updates');
/** Of queries (16 to 16) and values (16 to 8) in both blocks, rank 3, as trainables hold them. */
const updates = Object.fromEntries(
  [0, 1].map((block) => {
    const update = (to: number) => ({ down: randomArray(random, [1, 16, 3]), up: randomArray(random, [1, 3, to]) });
    return [block, { query: update(16), value: update(8) }];
  }),
);
/** The anchor alone, as a stitch. */
const whole = { id: 0, path: [{ anchor: 0, blocks: [0, 2] as const }] };
const trainables = { ...noTrainables, updates: { 0: updates } };
const adapter = segmentAdapter(whole, 0, trainables, architecture);
const ids = int32([2, 4], Int32Array.of(1, 5, 300, 7, 1, 2, 3, 419));

type Weights<T> = LlamaWeights<T>;

test('what a stitch trains in the blocks of an anchor becomes an adapter, with its biases', () => {
  const names = (blocks: number[]) =>
    blocks.flatMap((block) => ['q', 'v'].map((name) => `model.layers.${block}.self_attn.${name}_proj`));
  assert.deepEqual([...adapter.keys()], names([0, 1]));
  assert.ok([...adapter.values()].every((update) => update.scale === scale && !('bias' in update)));
  // The rear of a stitch runs block 1: biases of 16 queries, then of 8 values.
  const rear = { id: 5, stitchingLayer: 0, path: [...whole.path, { anchor: 0, blocks: [1, 2] as const }] };
  const biases = {
    5: {
      1: float32(
        [24],
        Float32Array.from({ length: 24 }, (_, index) => index),
      ),
    },
  };
  const adapted = segmentAdapter(rear, 1, { ...trainables, biases }, architecture);
  assert.deepEqual([...adapted.keys()], names([1]));
  const [query, value] = [...adapted.values()];
  assert.deepEqual([query!.up.data, query!.bias!.data.at(-1)], [updates[1]!.query.up.data, 15]);
  assert.deepEqual(
    [value!.down.data, [...value!.bias!.data]],
    [updates[1]!.value.down.data, [...Array(8).keys()].map((index) => 16 + index)],
  );
  assert.equal(
    segmentAdapter(rear, 1, { ...noTrainables, biases }, architecture).size,
    0,
    'biases alone are no adapter',
  );
});

test("an adapter of PEFT with biases gives PEFT's logits, in 8 bits nearly so", async (t) => {
  const engine = await createOnnxEngine({ threads: 1 });
  t.after(() => engine.dispose());
  const { ids, logits } = JSON.parse(await readFile(fixture('peft/logits.json'), 'utf8'));
  for (const [storage, tolerance] of [
    ['float32', 1e-5],
    ['8bit', 3e-2],
  ] as const) {
    const given = { storage, adapter: fixture('peft/adapter') };
    const { config, weights } = await loadLlama(fixture('peft/network'), given);
    const model = languageModel(engine, config, weights);
    for (const [text, tokens] of (ids as number[][]).entries()) {
      const last = await model.begin().read(tokens);
      const row = (text + 1) * tokens.length - 1;
      const expected = (logits as number[]).slice(row * 11, (row + 1) * 11);
      assertClose(new Map([['logits', [...last]]]), new Map([['logits', expected]]), tolerance);
    }
    model.dispose();
  }
});

test('merged while reading equals unmerged', async (t) => {
  const folder = await temporaryFolder(t);
  await writeTinyLlama(`${folder}/network`, tiny);
  await writeAdapter(`${folder}/adapter`, adapter, `${folder}/network`);
  const { weights } = await loadLlama(`${folder}/network`, { adapter: `${folder}/adapter` });
  const run = (given: { weights: Weights<tf.Tensor>; ids: tf.Tensor }) =>
    runLlama(given.weights, given.ids, tiny.config);
  const merged = onReference(run, { weights: weights as Weights<Float32NdArray>, ids });

  const single = ([down, up]: Float32NdArray[]) => ({
    down: { ...down!, shape: down!.shape.slice(1) },
    up: { ...up!, shape: up!.shape.slice(1) },
  });
  const beside = Object.values(updates).map(({ query, value }) => ({
    query: { update: single([query.down, query.up]) },
    value: { update: single([value.down, value.up]) },
  }));
  const unmerged = onReference(
    (given: { weights: Weights<tf.Tensor>; ids: tf.Tensor; beside: { query: Beside; value: Beside }[] }) => {
      const scaled = given.beside.map(
        ({ query, value }): LlamaBlockAdaptation => ({ query: { ...query, scale }, value: { ...value, scale } }),
      );
      return runLlama(given.weights, given.ids, tiny.config, undefined, scaled);
    },
    { weights: tiny.weights, ids, beside },
  );
  // float32 on both sides: 1e-5 of the largest logit.
  assertClose(merged, unmerged, 1e-5);
  const plain = onReference(run, { weights: tiny.weights, ids });
  assert.throws(() => assertClose(plain, unmerged, 1e-2), 'the adapter matters');

  // In 8 bits it is the merged weight that is quantised.
  const small = await loadLlama(`${folder}/network`, { adapter: `${folder}/adapter`, storage: '8bit' });
  const merge = (weights as Weights<Float32NdArray>).blocks[0]!.query as { weight: Float32NdArray };
  assert.deepEqual(small.weights.blocks[0]!.query, quantised(permuted(merge.weight, [1, 0])));
});

interface Beside {
  readonly update: { readonly down: tf.Tensor; readonly up: tf.Tensor };
}

test('refused: updates of layers that the network does not have, or has in another size', async (t) => {
  const folder = await temporaryFolder(t);
  await writeTinyLlama(`${folder}/network`, tiny);
  const [update] = adapter.values();
  for (const [module, message] of [
    [
      'model.layers.2.self_attn.q_proj',
      /updates model\.layers\.2\..* from 16 to 16 features; .*has none in its blocks/,
    ],
    ['lm_head', /updates lm_head/],
    ['model.layers.0.self_attn.k_proj', /from 16 to 16 features; the network has one from 16 to 8/],
  ] as const) {
    await writeAdapter(`${folder}/adapter`, new Map([[module, update!]]), '');
    assert.equal((await readAdapter(`${folder}/adapter`)).size, 1);
    await assert.rejects(loadLlama(`${folder}/network`, { adapter: `${folder}/adapter` }), message);
  }
});
