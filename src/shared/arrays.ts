/**
 * Host arrays: what is read from and written to files, and what goes into and comes out of an engine.
 * Row-major. Engines compute in float32; int32 holds labels and indices, uint8 the codes of quantised weights.
 */
export type NdArray = Float32NdArray | Int32NdArray | Uint8NdArray;
export interface Float32NdArray {
  readonly dtype: 'float32';
  readonly shape: readonly number[];
  readonly data: Float32Array;
}
export interface Int32NdArray {
  readonly dtype: 'int32';
  readonly shape: readonly number[];
  readonly data: Int32Array;
}

export interface Uint8NdArray {
  readonly dtype: 'uint8';
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** Tells the leaves of a tree of host arrays from its branches. */
export function isArray(node: unknown): node is NdArray {
  return typeof node === 'object' && node !== null && 'dtype' in node && 'data' in node;
}

/** Tells the leaves of a tree of float32 host arrays from its branches. */
export function isFloat32(node: unknown): node is Float32NdArray {
  return isArray(node) && node.dtype === 'float32';
}

/** A flat dictionary of named arrays, as a PyTorch state dict: `blocks.0.attn.qkv.weight` and so on. */
export type StateDict = Record<string, Float32NdArray>;

/** Number of elements of a shape; 1 for a scalar. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** Wraps (does not copy) `data`; throws when its length does not fit `shape`. */
export function float32(
  shape: readonly number[],
  data: Float32Array = new Float32Array(sizeOf(shape)),
): Float32NdArray {
  checkLength(shape, data);
  return { dtype: 'float32', shape, data };
}

/** Wraps (does not copy) `data`; throws when its length does not fit `shape`. */
export function int32(shape: readonly number[], data: Int32Array = new Int32Array(sizeOf(shape))): Int32NdArray {
  checkLength(shape, data);
  return { dtype: 'int32', shape, data };
}

/** Wraps (does not copy) `data`; throws when its length does not fit `shape`. */
export function uint8(shape: readonly number[], data: Uint8Array = new Uint8Array(sizeOf(shape))): Uint8NdArray {
  checkLength(shape, data);
  return { dtype: 'uint8', shape, data };
}

function checkLength(shape: readonly number[], data: { readonly length: number }): void {
  if (data.length !== sizeOf(shape)) {
    throw new RangeError(`shape [${shape.join(', ')}] holds ${sizeOf(shape)} elements, the data has ${data.length}`);
  }
}
