/** Programs by the C API of the library that is here, on the CPU. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import tf = require('@tensorflow/tfjs');

import '../../../../src/engine/onnx/kernels/index.js';
import { nativeApi } from '../../../../src/engine/onnx/native/api.js';
import { NativeSession } from '../../../../src/engine/onnx/native/session.js';
import { NativeTensors } from '../../../../src/engine/onnx/native/values.js';
import { trace } from '../../../../src/engine/onnx/tracer.js';
import { float32, int32 } from '../../../../src/shared/arrays.js';

const skip = `${process.platform} ${process.arch}` !== 'linux x64' && 'the library is for linux x64';
const options = { device: 'cpu', precision: 'float32', threads: 1, entries: {} } as const;

function traced(size: number, repeats = 1) {
  const products = ({ x }: { x: tf.Tensor2D }) => {
    let y = x;
    for (let count = 0; count < repeats; count++) y = tf.matMul(y, x);
    return { y };
  };
  return trace(products, { x: { shape: [size, size], dtype: 'float32' } });
}

const names = { inputs: ['in/x'], outputs: ['out/y'] };

test('JavaScript goes on while a program runs; it is released when its run has ended', { skip }, async () => {
  const api = nativeApi();
  const tensors = new NativeTensors(api);
  const [x, y] = [float32([256, 256], new Float32Array(256 ** 2).fill(1 / 256)), float32([256, 256])];
  const session = await NativeSession.create(api, traced(256, 40).model, names, options);
  const [given, written] = [tensors.around(x), tensors.around(y)];
  const events: string[] = [];
  const run = session.run([given], [written]).then(() => events.push('run'));
  const release = session.release().then(() => events.push('release'));
  events.push('next');
  await Promise.all([run, release]);
  assert.deepEqual(events, ['next', 'run', 'release']);
  assert.ok(y.data.every((value) => Math.abs(value - 1 / 256) < 1e-6));
  await assert.rejects(session.run([given], [written]), /was released before it ran/);
  for (const tensor of [given, written]) tensors.release(tensor);
});

test('what ONNX Runtime does not take is said in its words', { skip }, async () => {
  const api = nativeApi();
  const tensors = new NativeTensors(api);
  await assert.rejects(NativeSession.create(api, Uint8Array.of(1, 2, 3), names, options), /ModelProto|protobuf/i);
  const entries = { 'no such key': 'x'.repeat(9000) };
  await assert.rejects(NativeSession.create(api, traced(2).model, names, { ...options, entries }), /Config value/);
  const session = await NativeSession.create(api, traced(2).model, names, options);
  const [floats, wrong, small] = [float32([2, 2]), int32([2, 2]), float32([1, 2])].map((each) => tensors.around(each));
  await assert.rejects(session.run([wrong!], [floats!]), /Actual: \(tensor\(int32\)\) , expected: \(tensor\(float\)\)/);
  await assert.rejects(session.run([floats!], [small!]), /out\/y|shape/);
  await session.run([floats!], [floats!]);
  for (const tensor of [floats, wrong, small]) tensors.release(tensor!);
  await session.release();
});
