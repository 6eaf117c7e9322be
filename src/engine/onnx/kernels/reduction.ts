/** Kernels that reduce along axes, and softmax. */
import tf = require('@tensorflow/tfjs');

import { type ElementType, type Graph, type GraphValue, sameShape } from '../graph.js';
import { kernel, type TracingKernel } from '../kernel.js';

/** Reduces `axes` (default all) of x by an ONNX operator that takes its axes as an input. */
export function reduceNode(
  graph: Graph,
  operator: string,
  x: GraphValue,
  axes: readonly number[] | number | undefined,
  keepDims = false,
): GraphValue {
  const reduced = tf.util.parseAxisParam((axes ?? x.shape.map((_, axis) => axis)) as number[], [...x.shape]);
  if (reduced.length === 0) return x;
  const shape = x.shape.flatMap((extent, axis) => (reduced.includes(axis) ? (keepDims ? [1] : []) : [extent]));
  if (sameShape(shape, x.shape)) return x; // only axes of extent one, kept
  return graph.node(
    operator,
    [x, graph.int64s(reduced)],
    { shape, dtype: x.dtype },
    {
      attributes: { keepdims: { int: keepDims ? 1 : 0 } },
    },
  );
}

const reduction = (operator: string): TracingKernel =>
  kernel(['x'], (graph, { x }, { axis, keepDims }) =>
    reduceNode(graph, operator, x, axis as number[] | undefined, Boolean(keepDims)),
  );

/** Reduction of booleans through int32. */
const logical = (operator: string): TracingKernel =>
  kernel(['x'], (graph, { x }, { axis, keepDims }) => {
    const numbers = graph.node('Cast', [x], { shape: x.shape, dtype: 'int32' }, { attributes: { to: { int: 6 } } });
    const result = reduceNode(graph, operator, numbers, axis as number[] | undefined, Boolean(keepDims));
    return graph.node('Cast', [result], { shape: result.shape, dtype: 'bool' }, { attributes: { to: { int: 9 } } });
  });

const extremeIndex = (operator: string): TracingKernel =>
  kernel(['x'], (graph, { x }, { axis }) => {
    const along = tf.util.parseAxisParam(axis as number, [...x.shape])[0]!;
    const shape = x.shape.filter((_, index) => index !== along);
    const attributes = { axis: { int: along }, keepdims: { int: 0 } };
    const index = graph.node(operator, [x], { shape, dtype: 'int64' as ElementType }, { attributes });
    return graph.node('Cast', [index], { shape, dtype: 'int32' }, { attributes: { to: { int: 6 } } });
  });

export const reductionKernels: Record<string, TracingKernel> = {
  All: logical('ReduceMin'),
  Any: logical('ReduceMax'),
  ArgMax: extremeIndex('ArgMax'),
  ArgMin: extremeIndex('ArgMin'),
  Max: kernel(['x'], (graph, { x }, { reductionIndices, keepDims }) =>
    reduceNode(graph, 'ReduceMax', x, reductionIndices as number[] | undefined, Boolean(keepDims)),
  ),
  Mean: reduction('ReduceMean'),
  Min: reduction('ReduceMin'),
  Prod: reduction('ReduceProd'),
  Sum: kernel(['x'], (graph, { x }, { axis, keepDims }) => {
    if (x.dtype === 'bool') {
      throw new Error('sum of booleans: cast to int32 or float32 first');
    }
    return reduceNode(graph, 'ReduceSum', x, axis as number[] | undefined, Boolean(keepDims));
  }),
  Softmax: kernel(['logits'], (graph, { logits }, { dim }) =>
    graph.node('Softmax', [logits], logits, { attributes: { axis: { int: Number(dim ?? -1) } } }),
  ),
  LogSoftmax: kernel(['logits'], (graph, { logits }, { axis }) =>
    graph.node('LogSoftmax', [logits], logits, { attributes: { axis: { int: Number(axis ?? -1) } } }),
  ),
  Cumsum: kernel(['x'], (graph, { x }, { axis, exclusive, reverse }) =>
    graph.node('CumSum', [x, graph.int64s([Number(axis)])], x, {
      attributes: { exclusive: { int: exclusive ? 1 : 0 }, reverse: { int: reverse ? 1 : 0 } },
    }),
  ),
};
