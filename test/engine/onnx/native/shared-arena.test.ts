/** The C API of the library that is here, tried with an arena of the CPU. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import tf = require('@tensorflow/tfjs');

import { createOnnxEngine } from '../../../../src/engine/onnx/engine.js';
import { shareArena } from '../../../../src/engine/onnx/native/shared-arena.js';
import { fromSharedArena } from '../../../../src/engine/onnx/programs/placement.js';
import '../../../../src/engine/onnx/kernels/index.js';
import * as ort from '../../../../src/engine/onnx/runtime.js';
import { trace } from '../../../../src/engine/onnx/tracer.js';
import { float32 } from '../../../../src/shared/arrays.js';

const skip = `${process.platform} ${process.arch}` !== 'linux x64' && 'the provider is for linux x64';

test('programs compute in an arena that onnxruntime-node knows nothing of', { skip }, async () => {
  const x = { shape: [8, 8], dtype: 'float32' as const };
  const { model } = trace((inputs: { x: tf.Tensor2D }) => ({ x: tf.matMul(inputs.x, inputs.x).tanh() }), { x });
  const feeds = { 'in/x': new ort.Tensor('float32', Float32Array.from({ length: 64 }, Math.sin), x.shape) };
  const run = async (extra: Record<string, unknown>) => {
    const session = await ort.InferenceSession.create(model, { executionProviders: ['cpu'], extra });
    const { data } = (await session.run(feeds))['out/x']!;
    await session.release();
    return data;
  };
  const expected = await run({});
  assert.equal(shareArena('cpu'), undefined);
  assert.equal(shareArena('cpu'), undefined, 'it is made once');
  assert.deepEqual(await run({ session: fromSharedArena }), expected);
});

test('programs of the CPU meet pages that other programs have met before them', { skip }, async (t) => {
  const engine = await createOnnxEngine({ threads: 1 });
  t.after(() => engine.dispose());
  // 16 MiB, 4,096 pages.
  const x = engine.put(float32([2048, 2048]));
  const run = async (factor: number) => {
    const chain = engine.compile(`chain ${factor}`, ({ x: given }: { x: tf.Tensor }) =>
      tf.add(given, 1).mul(given).sub(given).mul(factor).add(given).sum(),
    );
    const before = process.resourceUsage().minorPageFault;
    engine.free(await chain({ x }));
    return process.resourceUsage().minorPageFault - before;
  };
  await run(0);
  for (const factor of [2, 3, 4]) {
    const met = await run(factor);
    assert.ok(met < 4096, `${met} pages`);
  }
});
