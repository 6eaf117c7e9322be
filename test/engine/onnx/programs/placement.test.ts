import assert from 'node:assert/strict';
import { test } from 'node:test';

import tf = require('@tensorflow/tfjs');

import { operatorsOnCpu, readable } from '../../../../src/engine/onnx/programs/placement.js';
import '../../../../src/engine/onnx/kernels/index.js';
import { trace } from '../../../../src/engine/onnx/tracer.js';

test('the operators that are computed on the CPU, by name and number', async () => {
  const fn = ({ x }: { x: tf.Tensor2D }) => tf.cumsum(tf.matMul(tf.matMul(x, x), x).tanh(), 1);
  const x = { shape: [2, 2], dtype: 'float32' } as const;
  const { model } = trace(fn, { x });
  // Where the CPU is what was asked for, all of them.
  assert.deepEqual(await operatorsOnCpu(model, [{ name: 'in/x', ...x }], 'cpu'), [
    'CumSum (1)',
    'Gemm (2)',
    'Tanh (1)',
  ]);
});

test("CUDA's errors are one clause", () => {
  const message = `/onnxruntime_src/a.cc:154 std::conditional_t<THRW, void> onnxruntime::CudaCall(...) [with ERRTYPE = cudaError]
    CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version ; GPU=-1 ; hostname=vm ; expr=cudaSetDevice(0);`;
  assert.equal(readable(message), 'CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version');
});
