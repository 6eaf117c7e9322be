/** Changes of layout between the formats of checkpoints: reshape, permute and stack row-major arrays. */
import { type Float32NdArray, float32, sizeOf } from '../../../shared/arrays.js';

/** The same elements under another shape of the same size; -1 stands for what is left. No copy. */
export function reshaped({ shape, data }: Float32NdArray, to: readonly number[]): Float32NdArray {
  const rest = sizeOf(shape) / sizeOf(to.filter((extent) => extent !== -1));
  if (!Number.isInteger(rest)) throw new RangeError(`[${shape.join(', ')}] cannot become [${to.join(', ')}]`);
  const full = to.map((extent) => (extent === -1 ? rest : extent));
  return float32(full, data);
}

/** Axis `i` of the result is axis `axes[i]` of the array, as numpy's transpose. */
export function permuted({ shape, data }: Float32NdArray, axes: readonly number[]): Float32NdArray {
  if (shape.length !== axes.length) throw new RangeError(`[${shape.join(', ')}] does not have ${axes.length} axes`);
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const extents = axes.map((axis) => shape[axis]!);
  const steps = axes.map((axis) => strides[axis]!);
  const result = new Float32Array(data.length);
  let written = 0;
  const copy = (axis: number, from: number): void => {
    if (axis === axes.length) {
      result[written++] = data[from]!;
      return;
    }
    const extent = extents[axis]!;
    const step = steps[axis]!;
    if (axis < axes.length - 1) {
      for (let index = 0; index < extent; index++) copy(axis + 1, from + index * step);
    } else {
      for (let index = 0; index < extent; index++) result[written++] = data[from + index * step]!;
    }
  };
  copy(0, 0);
  return float32(extents, result);
}

/** Puts arrays one after the other along the first axis. */
export function stacked(parts: readonly Float32NdArray[]): Float32NdArray {
  const data = new Float32Array(parts.reduce((sum, part) => sum + part.data.length, 0));
  let position = 0;
  for (const part of parts) {
    data.set(part.data, position);
    position += part.data.length;
  }
  const rows = parts.reduce((sum, { shape }) => sum + shape[0]!, 0);
  return float32([rows, ...parts[0]!.shape.slice(1)], data);
}

/** Entry `index` along the first axis, which goes away. A view. */
export function entryOf({ shape, data }: Float32NdArray, index: number): Float32NdArray {
  const size = sizeOf(shape.slice(1));
  return float32(shape.slice(1), data.subarray(index * size, (index + 1) * size));
}
