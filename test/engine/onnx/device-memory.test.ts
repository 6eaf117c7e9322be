/** Values in the memory of a WebGPU device. Where there is none the tests say why they do not run. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import tf = require('@tensorflow/tfjs');

import * as ort from 'onnxruntime-node';
import { deviceMemory } from '../../../src/engine/onnx/device-memory.js';
import { createOnnxEngine } from '../../../src/engine/onnx/engine.js';
import { attention } from '../../../src/engine/ops/attention.js';
import { messageOf } from '../../../src/shared/errors.js';
import { Random } from '../../../src/shared/random.js';
import { assertClose, onEngine, randomArray } from '../tensors.js';

const engine = await createOnnxEngine({ device: 'webgpu' }).catch((error: unknown) => messageOf(error));
const skip = typeof engine === 'string' ? engine : false;
after(async () => typeof engine !== 'string' && (await engine.dispose()));
const gpu = () => (typeof engine === 'string' ? assert.fail() : engine);
const random = Random.of(0, 'device-memory');

test('a tensor goes to the device and comes back; small ones stay', { skip }, async () => {
  const memory = deviceMemory();
  const host = new ort.Tensor('float32', Float32Array.from({ length: 4096 }, Math.sqrt), [64, 64]);
  const there = await memory.upload(host);
  assert.equal(there.location, 'gpu-buffer');
  assert.equal(await memory.upload(there), there, 'once');
  assert.deepEqual((await memory.download(there)).data, host.data);
  const small = new ort.Tensor('int32', [1, 2], [2]);
  assert.equal(await memory.upload(small), small);
  memory.free(there);
  await memory.dispose();
});

test('results stay on the device until they are read, and feed the next program', { skip }, async () => {
  const double = gpu().compile('double', ({ x }: { x: tf.Tensor }) => ({ x: tf.mul(x, 2) }));
  const first = gpu().put(randomArray(random, [32, 64]));
  const second = await double({ x: first });
  assert.equal((second.x.storage as { tensor: ort.Tensor }).tensor.location, 'gpu-buffer');
  const third = await double(second);
  const [before, afterwards] = [await gpu().get(first), await gpu().get(third.x)];
  assert.deepEqual(
    afterwards.data,
    before.data.map((value) => 4 * value),
  );
  gpu().free([first, second, third]);
});

test('attention over 65 tokens and its gradients are those of the CPU', { skip }, async (t) => {
  const cpu = await createOnnxEngine({ threads: 1 });
  t.after(() => cpu.dispose());
  const loss = (...[query, key, value]: tf.Tensor[]) =>
    attention(query as tf.Tensor3D, key as tf.Tensor3D, value as tf.Tensor3D, { heads: 2 })
      .square()
      .sum() as tf.Scalar;
  const gradients = ({ qkv }: { qkv: tf.Tensor[] }) => tf.grads(loss)(qkv);
  const inputs = { qkv: Array.from({ length: 3 }, () => randomArray(random, [2, 65, 32])) };
  const [expected, actual] = [
    await onEngine(cpu, 'attention', gradients, inputs),
    await onEngine(gpu(), 'attention', gradients, inputs),
  ];
  assertClose(actual, expected, 1e-5);
});
