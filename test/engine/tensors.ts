/** What engine tests share: seeded arrays, the plain TensorFlow.js CPU backend as reference, and a relative comparison. */
import assert from 'node:assert/strict';

import tf = require('@tensorflow/tfjs');

import { type Engine, isValue, type TensorFunction } from '../../src/engine/engine.js';
import { registerDecompositions } from '../../src/engine/ops/decompositions.js';
import { isTensor } from '../../src/engine/tensor.js';
import { toDevice } from '../../src/engine/transfer.js';
import { type Float32NdArray, float32, isArray, type NdArray, sizeOf } from '../../src/shared/arrays.js';
import type { Random } from '../../src/shared/random.js';
import { leavesOf, type Mapped, mapTree } from '../../src/shared/tree.js';

export function randomArray(random: Random, shape: readonly number[]): Float32NdArray {
  return float32(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => random.normal()),
  );
}

/** A tree of tensors with host arrays in their places. */
export type Arrays<Tensors> = Mapped<Tensors, tf.Tensor, NdArray>;

/** TensorFlow.js has no uint8. */
export function toTensor({ data, shape, dtype }: NdArray): tf.Tensor {
  return tf.tensor(data, [...shape], dtype === 'uint8' ? 'int32' : dtype);
}

/** Runs `fn` with TensorFlow.js' own CPU kernels: an implementation that shares no code with the engine. */
export function onReference<In, Out>(
  fn: TensorFunction<In, Out>,
  inputs: NoInfer<Arrays<In>>,
): Map<string, readonly number[]> {
  tf.setBackend('cpu');
  registerDecompositions('cpu');
  const values = new Map<string, readonly number[]>();
  tf.tidy(() => {
    const tensors = mapTree(inputs, isArray, toTensor);
    for (const { path, leaf } of leavesOf(fn(tensors as never), isTensor))
      values.set(path, Array.from(leaf.dataSync()));
  });
  return values;
}

export async function onEngine<In, Out>(
  engine: Engine,
  key: string,
  fn: TensorFunction<In, Out>,
  inputs: NoInfer<Arrays<In>>,
): Promise<Map<string, readonly number[]>> {
  const outputs = await engine.compile(key, fn)(toDevice(engine, inputs) as never);
  const results = new Map<string, readonly number[]>();
  for (const { path, leaf } of leavesOf(outputs, isValue)) results.set(path, Array.from((await engine.get(leaf)).data));
  return results;
}

/** Largest difference relative to the largest reference value, below `tolerance`. */
export function assertClose(
  actual: ReadonlyMap<string, readonly number[]>,
  expected: ReadonlyMap<string, readonly number[]>,
  tolerance: number,
): void {
  assert.deepEqual([...actual.keys()], [...expected.keys()]);
  for (const [path, wanted] of expected) {
    const got = actual.get(path)!;
    assert.equal(got.length, wanted.length, path);
    const size = Math.max(...wanted.map(Math.abs), 1e-6);
    const error = Math.max(...wanted.map((value, index) => Math.abs(value - got[index]!))) / size;
    assert.ok(error <= tolerance, `${path}: relative error ${error} exceeds ${tolerance}`);
  }
}
