/** Kernels that move elements: views, transposition, slices, concatenation, gathering. */
import tf = require('@tensorflow/tfjs');

import type { ElementType, Graph, GraphValue } from '../graph.js';
import { kernel, type TracingKernel } from '../kernel.js';

export function transposeNode(graph: Graph, x: GraphValue, permutation: readonly number[]): GraphValue {
  const shape = permutation.map((axis) => x.shape[axis]!);
  if (x.fill !== undefined) return graph.fill(x.fill, shape, x.dtype);
  // Moving axes of extent one moves no element.
  const moved = permutation.filter((axis) => x.shape[axis] !== 1);
  if (moved.every((axis, index) => index === 0 || axis > moved[index - 1]!)) return graph.reshape(x, shape);
  return graph.once(`${x.name} by ${permutation}`, () =>
    graph.node('Transpose', [x], { shape, dtype: x.dtype }, { attributes: { perm: { ints: permutation } } }),
  );
}

/** x[begin, begin + size) along every axis; a negative size means to the end. */
export function sliceNode(graph: Graph, x: GraphValue, begin: readonly number[], size: readonly number[]): GraphValue {
  const shape = x.shape.map((extent, axis) => ((size[axis] ?? -1) < 0 ? extent - (begin[axis] ?? 0) : size[axis]!));
  const axes = x.shape.map((_, axis) => axis).filter((axis) => shape[axis] !== x.shape[axis]);
  if (axes.length === 0) return x;
  if (x.fill !== undefined) return graph.fill(x.fill, shape, x.dtype);
  const starts = axes.map((axis) => begin[axis] ?? 0);
  const ends = axes.map((axis, index) => starts[index]! + shape[axis]!);
  return graph.node('Slice', [x, graph.int64s(starts), graph.int64s(ends), graph.int64s(axes)], {
    shape,
    dtype: x.dtype,
  });
}

export function concatNode(graph: Graph, list: readonly GraphValue[], axis: number): GraphValue {
  const filled = list.filter((value) => value.shape.every((extent) => extent > 0));
  if (filled.length === 1) return filled[0]!;
  const first = filled[0]!;
  const along = filled.reduce((sum, value) => sum + value.shape[axis]!, 0);
  const shape = first.shape.map((extent, index) => (index === axis ? along : extent));
  const attributes = { axis: { int: axis } };
  return graph.once(concatKey(filled, axis), () =>
    graph.node('Concat', filled, { shape, dtype: first.dtype }, { attributes }),
  );
}

const concatKey = (list: readonly GraphValue[], axis: number) => `Concat ${list.map(({ name }) => name)} along ${axis}`;

/** Consecutive parts of x of the given sizes along one axis; put together again, they are x. */
export function splitNode(graph: Graph, x: GraphValue, sizes: readonly number[], axis: number): GraphValue[] {
  if (sizes.length === 1) return [x];
  const parts = partsOf(graph, x, sizes, axis);
  graph.once(concatKey(parts, axis), () => x);
  return parts;
}

function partsOf(graph: Graph, x: GraphValue, sizes: readonly number[], axis: number): GraphValue[] {
  const parts = sizes.map((size) => ({ shape: x.shape.with(axis, size), dtype: x.dtype }));
  if (x.fill !== undefined) return parts.map(({ shape }) => graph.fill(x.fill!, shape, x.dtype));
  // A shader of WebGPU writes to few buffers.
  if (!graph.fused) {
    const begins = sizes.map((_, index) => sizes.slice(0, index).reduce((sum, size) => sum + size, 0));
    return parts.map(({ shape }, index) => sliceNode(graph, x, x.shape.map(() => 0).with(axis, begins[index]!), shape));
  }
  return graph.nodeWithOutputs('Split', [x, graph.int64s(sizes)], parts, { attributes: { axis: { int: axis } } });
}

export function padNode(
  graph: Graph,
  x: GraphValue,
  paddings: readonly (readonly number[])[],
  value: number,
): GraphValue {
  const shape = x.shape.map((extent, axis) => extent + paddings[axis]![0]! + paddings[axis]![1]!);
  const pads = [...paddings.map(([before]) => before!), ...paddings.map(([, after]) => after!)];
  return graph.node('Pad', [x, graph.int64s(pads), graph.scalar(value, x.dtype)], { shape, dtype: x.dtype });
}

export function reverseNode(graph: Graph, x: GraphValue, axes: readonly number[]): GraphValue {
  const ints = (value: number) => graph.int64s(axes.map(() => value));
  const end = -(2 ** 31); // beyond the first element: ONNX clamps
  return graph.node('Slice', [x, ints(-1), ints(end), graph.int64s(axes), ints(-1)], x);
}

const axisOf = (axis: unknown, shape: readonly number[]) => tf.util.parseAxisParam(axis as number, [...shape])[0]!;

export const shapeKernels: Record<string, TracingKernel> = {
  Reshape: kernel(['x'], (graph, { x }, { shape }) => {
    const wanted = tf.util.inferFromImplicitShape(shape as number[], tf.util.sizeFromShape([...x.shape]));
    return graph.reshape(x, wanted);
  }),
  ExpandDims: kernel(['input'], (graph, { input }, { dim }) => {
    const at = Number(dim) < 0 ? Number(dim) + input.shape.length + 1 : Number(dim);
    return graph.reshape(input, input.shape.toSpliced(at, 0, 1));
  }),
  Transpose: kernel(['x'], (graph, { x }, { perm }) => transposeNode(graph, x, perm as number[])),
  Concat: kernel([], (graph, _inputs, { axis }, list) => concatNode(graph, list, axisOf(axis, list[0]!.shape))),
  Pack: kernel([], (graph, _inputs, { axis }, list) => {
    const at = Number(axis);
    const expanded = list.map((value) => graph.reshape(value, value.shape.toSpliced(at, 0, 1)));
    return concatNode(graph, expanded, at);
  }),
  Unpack: kernel(['value'], (graph, { value }, { axis }) => {
    const at = axisOf(axis, value.shape);
    const ones = Array.from({ length: value.shape[at]! }, () => 1);
    return splitNode(graph, value, ones, at).map((part) => graph.reshape(part, value.shape.toSpliced(at, 1)));
  }),
  SplitV: kernel(['x'], (graph, { x }, { numOrSizeSplits, axis }) => {
    const at = axisOf(axis, x.shape);
    const { prepareSplitSize } = tf.backend_util;
    return splitNode(
      graph,
      x,
      prepareSplitSize({ shape: [...x.shape] } as tf.Tensor, numOrSizeSplits as number[], at),
      at,
    );
  }),
  Slice: kernel(['x'], (graph, { x }, { begin, size }) => sliceNode(graph, x, begin as number[], size as number[])),
  PadV2: kernel(['x'], (graph, { x }, { paddings, constantValue }) =>
    padNode(graph, x, paddings as number[][], Number(constantValue)),
  ),
  Tile: kernel(['x'], (graph, { x }, { reps }) => {
    const repeats = reps as number[];
    const shape = x.shape.map((extent, axis) => extent * repeats[axis]!);
    if (x.fill !== undefined) return graph.fill(x.fill, shape, x.dtype);
    if (repeats.every((repeat) => repeat === 1)) return x;
    return graph.node('Tile', [x, graph.int64s(repeats)], { shape, dtype: x.dtype });
  }),
  BroadcastTo: kernel(['x'], (graph, { x }, { shape }) => {
    const wanted = shape as number[];
    if (x.fill !== undefined) return graph.fill(x.fill, wanted, x.dtype);
    return graph.node('Expand', [x, graph.int64s(wanted)], { shape: wanted, dtype: x.dtype });
  }),
  Reverse: kernel(['x'], (graph, { x }, { dims }) =>
    reverseNode(graph, x, tf.util.parseAxisParam(dims as number[], [...x.shape])),
  ),
  GatherV2: kernel(['x', 'indices'], (graph, { x, indices }, { axis, batchDims }) => {
    if (Number(batchDims ?? 0) !== 0) throw new Error('the onnxruntime engine gathers without batch dimensions only');
    const at = axisOf(axis, x.shape);
    const shape = [...x.shape.slice(0, at), ...indices.shape, ...x.shape.slice(at + 1)];
    return graph.node('Gather', [x, indices], { shape, dtype: x.dtype }, { attributes: { axis: { int: at } } });
  }),
  UnsortedSegmentSum: kernel(['x', 'segmentIds'], (graph, { x, segmentIds }, { numSegments }) => {
    const shape = [Number(numSegments), ...x.shape.slice(1)];
    const rows = graph.node('Cast', [graph.reshape(segmentIds, [...segmentIds.shape, 1])], indexType(segmentIds), {
      attributes: { to: { int: 7 } },
    });
    const zeros = graph.materialize(graph.fill(0, shape, x.dtype));
    const attributes = { reduction: { string: 'add' } };
    return graph.node('ScatterND', [zeros, rows, x], { shape, dtype: x.dtype }, { attributes });
  }),
  OneHot: kernel(['indices'], (graph, { indices }, { depth, onValue, offValue, dtype }) => {
    // Compared with 0..depth-1: ONNX Runtime's own OneHot lacks most combinations of types.
    const type = (dtype as ElementType) ?? 'float32';
    const shape = [...indices.shape, Number(depth)];
    const classes = graph.constant(
      Array.from({ length: Number(depth) }, (_, index) => index),
      [Number(depth)],
      'int32',
    );
    const hit = graph.node('Equal', [graph.reshape(indices, [...indices.shape, 1]), classes], {
      shape,
      dtype: 'bool',
    });
    const [on, off] = [onValue, offValue].map((value) => graph.scalar(Number(value), type));
    return graph.node('Where', [hit, on!, off!], { shape, dtype: type });
  }),
  Fill: kernel([], (graph, _inputs, { shape, value, dtype }) =>
    graph.fill(Number(value), shape as number[], (dtype as ElementType | undefined) ?? 'float32'),
  ),
  Range: kernel([], (graph, _inputs, { start, stop, step, dtype }) => {
    const length = Math.max(0, Math.ceil((Number(stop) - Number(start)) / Number(step)));
    const values = Array.from({ length }, (_, index) => Number(start) + index * Number(step));
    const type = (dtype as ElementType | undefined) ?? 'float32';
    return { name: graph.constant(values, [length], type), shape: [length], dtype: type };
  }),
  OnesLike: kernel(['x'], (graph, { x }) => graph.fill(1, x.shape, x.dtype)),
  ZerosLike: kernel(['x'], (graph, { x }) => graph.fill(0, x.shape, x.dtype)),
};

/** ScatterND wants int64 indices; the graph has no such type of its own because TensorFlow.js has none. */
function indexType(value: GraphValue): { shape: readonly number[]; dtype: ElementType } {
  return { shape: [...value.shape, 1], dtype: 'int64' as ElementType };
}
