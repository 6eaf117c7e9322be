/** What engine tests share: seeded arrays, the plain TensorFlow.js CPU backend as reference, and a relative comparison. */
import assert from 'node:assert/strict';
import * as tf from '@tensorflow/tfjs';
import { type Engine, isValue, type TensorFunction } from '../../src/engine/engine.js';
import { isTensor } from '../../src/engine/onnx/tracer.js';
import { registerComposedKernels } from '../../src/engine/ops/composed.js';
import { float32, type NdArray, sizeOf } from '../../src/shared/arrays.js';
import type { Random } from '../../src/shared/random.js';
import { leavesOf, mapTree, type Tree } from '../../src/shared/tree.js';

export function randomArray(random: Random, shape: readonly number[]): NdArray {
  return float32(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => random.normal()),
  );
}

export const isArray = (node: Tree<NdArray>): node is NdArray => 'dtype' in node && typeof node.dtype === 'string';

/** Runs `fn` with TensorFlow.js' own CPU kernels: an implementation that shares no code with the engine. */
export function onReference(fn: TensorFunction, inputs: Tree<NdArray>): Map<string, readonly number[]> {
  tf.setBackend('cpu');
  registerComposedKernels('cpu');
  const values = new Map<string, readonly number[]>();
  tf.tidy(() => {
    const tensors = mapTree(inputs, isArray, ({ data, shape, dtype }) => tf.tensor(data, [...shape], dtype));
    for (const { path, leaf } of leavesOf(fn(tensors as never), isTensor))
      values.set(path, Array.from(leaf.dataSync()));
  });
  return values;
}

export async function onEngine(
  engine: Engine,
  key: string,
  fn: TensorFunction,
  inputs: Tree<NdArray>,
): Promise<Map<string, readonly number[]>> {
  const outputs = await engine.compile(key, fn)(mapTree(inputs, isArray, (array) => engine.put(array)));
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
