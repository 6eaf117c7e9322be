/** Whole trees between the host and an engine's device. */
import { type Float32NdArray, isArray, type NdArray } from '../shared/arrays.js';
import { leavesOf, type Mapped, mapTree } from '../shared/tree.js';
import { type Engine, isValue, type Value } from './engine.js';

/** Copies (or wraps) all arrays of a tree. */
export function toDevice<T>(engine: Engine, tree: T): Mapped<T, NdArray, Value> {
  return mapTree(tree, isArray, (array) => engine.put(array));
}

/** As `toDevice`, of arrays that never change: frozen weights. */
export function frozenOnDevice<T>(engine: Engine, tree: T): Mapped<T, NdArray, Value> {
  return mapTree(tree, isArray, (array) => engine.put(array, true));
}

/** Copies (or unwraps) all values of a tree; throws when one is not float32. */
export async function toHost<T>(engine: Engine, tree: T): Promise<Mapped<T, Value, Float32NdArray>> {
  const arrays = new Map<Value, Float32NdArray>();
  for (const { path, leaf } of leavesOf(tree, isValue)) {
    const array = await engine.get(leaf);
    if (array.dtype !== 'float32') throw new TypeError(`${path} is ${array.dtype}: float32 was expected`);
    arrays.set(leaf, array);
  }
  return mapTree(tree, isValue, (value) => arrays.get(value)!);
}
