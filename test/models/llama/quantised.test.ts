/**
 * A LLaMA network with linear layers of 8 bits equals the float32 network whose weights are what the codes stand for: in
 * logits, and in the gradients of low-rank updates that lie behind frozen 8-bit layers.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import tf = require('@tensorflow/tfjs');

import { createOnnxEngine } from '../../../src/engine/onnx/engine.js';
import { type LlamaBlock, type LlamaWeights, runLlama } from '../../../src/models/llama/llama.js';
import { loadLlama } from '../../../src/models/llama/load.js';
import type { QuantisedProjection } from '../../../src/models/quantise.js';
import { type Float32NdArray, float32, int32, type NdArray } from '../../../src/shared/arrays.js';
import { Random } from '../../../src/shared/random.js';
import { temporaryFolder } from '../../data/official/temporary-folder.js';
import { assertClose, onEngine, randomArray } from '../../engine/tensors.js';
import { tinyLlama, writeTinyLlama } from './tiny-llama.js';

const engine = await createOnnxEngine({ threads: 1 });
after(() => engine.dispose());

/** [in, out], or transposed. */
function dequantised({ parts }: QuantisedProjection<NdArray>, isTransposed = false): Float32NdArray {
  const inputs = parts[0]!.codes.shape[1]!;
  const columns = parts.flatMap(({ codes, scale }) =>
    Array.from(scale.data, (step, output) =>
      Array.from({ length: inputs }, (_, input) => (codes.data[output * inputs + input]! - 128) * step),
    ),
  );
  const data = isTransposed
    ? columns.flat()
    : columns[0]!.flatMap((_, input) => columns.map((column) => column[input]!));
  return float32(isTransposed ? [columns.length, inputs] : [inputs, columns.length], Float32Array.from(data));
}

function dequantisedNetwork({ blocks, head, ...rest }: LlamaWeights<NdArray>): LlamaWeights<NdArray> {
  const whole = (layer: LlamaBlock<NdArray>[keyof LlamaBlock<NdArray>]) =>
    'parts' in layer ? { weight: dequantised(layer) } : layer;
  return {
    ...rest,
    blocks: blocks.map(
      (block) => Object.fromEntries(Object.entries(block).map(([name, layer]) => [name, whole(layer)])) as never,
    ),
    ...(head && { head: 'parts' in head ? { tokens: dequantised(head, true) } : head }),
  };
}

for (const tied of [false, true]) {
  test(`logits and gradients of updates are those of the dequantised network; head ${tied ? '' : 'not '}tied`, async (t) => {
    const folder = await temporaryFolder(t);
    await writeTinyLlama(folder, tinyLlama(), { json: { tie_word_embeddings: tied } });
    const { weights, config } = await loadLlama(folder, { storage: '8bit' });
    assert.ok(weights.blocks.every(({ gate, query }) => 'parts' in gate && 'parts' in query));
    assert.ok(weights.head && 'parts' in weights.head, 'the head too');
    assert.equal((weights.embedding.tokens as NdArray).dtype, 'float32');

    const random = Random.of(0, 'updates');
    const updates = weights.blocks.map(() => ({
      down: randomArray(random, [16, 2]),
      up: randomArray(random, [2, 16]),
      bias: randomArray(random, [16]),
    }));
    const ids = int32(
      [2, 5],
      Int32Array.from({ length: 10 }, () => random.integer(config.vocabulary)),
    );
    const upstream = randomArray(random, [2, 5, config.vocabulary]);
    interface Inputs<T> {
      weights: LlamaWeights<T>;
      updates: { down: T; up: T; bias: T }[];
      ids: T;
      upstream: T;
    }
    const step = ({ weights: given, updates: moving, ids: tokens, upstream: dy }: Inputs<tf.Tensor>) => {
      const leaves = moving.flatMap(({ down, up, bias }) => [down, up, bias]);
      const logits = (...moved: tf.Tensor[]) =>
        runLlama(
          given,
          tokens,
          config,
          undefined,
          moving.map((_, block) => {
            const [down, up, bias] = moved.slice(3 * block, 3 * block + 3) as [tf.Tensor, tf.Tensor, tf.Tensor];
            return { query: { update: { down, up }, bias, scale: 0.5 } };
          }),
        );
      const { grads } = tf.valueAndGrads((...moved: tf.Tensor[]) =>
        logits(...moved)
          .mul(dy)
          .sum<tf.Scalar>(),
      )(leaves);
      return { logits: logits(...leaves), grads };
    };
    const run = (key: string, network: LlamaWeights<NdArray>) =>
      onEngine(engine, `${key} ${tied}`, step, { weights: network, updates, ids, upstream });
    assertClose(await run('8 bit', weights), await run('float32', dequantisedNetwork(weights)), 1e-4);
  });
}
