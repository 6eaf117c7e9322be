/** A network with an adapter: merged while it is read, against updates that run beside its weights. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type * as tf from '@tensorflow/tfjs';
import { llamaArchitecture } from '../../../src/models/llama/architecture.js';
import { type LlamaBlockAdaptation, type LlamaWeights, runLlama } from '../../../src/models/llama/llama.js';
import { loadLlama } from '../../../src/models/llama/load.js';
import { readAdapter, writeAdapter } from '../../../src/models/peft/adapter.js';
import { permuted } from '../../../src/models/pretrained/formats/layout.js';
import { quantised } from '../../../src/models/quantise.js';
import { type Float32NdArray, int32 } from '../../../src/shared/arrays.js';
import { Random } from '../../../src/shared/random.js';
import { adapterOf, updatesOf } from '../../../src/stitching/parameters/adapter.js';
import { temporaryFolder } from '../../data/official/temporary-folder.js';
import { assertClose, onReference, randomArray } from '../../engine/tensors.js';
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
const adapter = adapterOf(updates, architecture);
const ids = int32([2, 4], Int32Array.of(1, 5, 300, 7, 1, 2, 3, 419));

type Weights<T> = LlamaWeights<T>;

test('updates of an anchor become an adapter, and come back', () => {
  assert.deepEqual(
    [...adapter.keys()],
    [0, 1].flatMap((block) => ['q', 'v'].map((name) => `model.layers.${block}.self_attn.${name}_proj`)),
  );
  assert.deepEqual(updatesOf(adapter, architecture), updates);
  // With another factor, B takes what is left of it: 2 A B = 4 A (B / 2).
  const twice = llamaArchitecture('tiny', tiny.config, 8, { scale: 4 });
  const { up } = updatesOf(adapter, twice)[1]!['value']!;
  assert.deepEqual([...up.data], [...updates[1]!.value.up.data.map((value) => value / 2)]);
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
