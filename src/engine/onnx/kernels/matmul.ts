/** Matrix products. Two-dimensional ones become `Gemm`, which takes transposed operands and adds a third without a copy. */
import tf = require('@tensorflow/tfjs');

import type { Graph, GraphValue } from '../graph.js';
import { kernel, type TracingKernel } from '../kernel.js';
import { transposeNode } from './shape.js';

export interface GemmOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  readonly scale?: number;
  /** Added to the product: a row vector or a full matrix. */
  readonly addend?: GraphValue;
}

/** a [m, k] times b [k, n] (each transposed on request), and a third matrix added on request; equal ones are made once. */
export function gemmNode(graph: Graph, a: GraphValue, b: GraphValue, options: GemmOptions = {}): GraphValue {
  const { transposeA = false, transposeB = false, scale = 1, addend } = options;
  const shape = [a.shape[transposeA ? 1 : 0]!, b.shape[transposeB ? 0 : 1]!];
  // WebGPU's Gemm takes three times as long for the second operand transposed, here a weight matrix: cheap to turn.
  const turn = transposeB && !graph.fused;
  const right = turn ? swapLast(graph, b) : b;
  const inputs = addend ? [a, right, addend] : [a, right];
  const attributes = {
    transA: { int: transposeA ? 1 : 0 },
    transB: { int: transposeB && !turn ? 1 : 0 },
    alpha: { float: scale },
  };
  const key = `Gemm ${inputs.map(({ name }) => name)} ${JSON.stringify(attributes)}`;
  return graph.once(key, () => graph.node('Gemm', inputs, { shape }, { attributes }));
}

/** All rows of x [..., width] as a matrix [rows, width]. */
export function rowsOf(graph: Graph, x: GraphValue): GraphValue {
  const width = x.shape.at(-1)!;
  return graph.reshape(x, [x.shape.reduce((product, extent) => product * extent, 1) / width, width]);
}

export interface BatchedOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  readonly scale?: number;
}

/**
 * Product over the last two axes, scaled; leading axes broadcast. Transposed operands are read in place where there is
 * FusedMatMul, and copied elsewhere: left to the CPU, these products of attention would cross the bus in every block.
 */
export function batchedMatMulNode(
  graph: Graph,
  a: GraphValue,
  b: GraphValue,
  { transposeA = false, transposeB = false, scale = 1 }: BatchedOptions = {},
): GraphValue {
  const batch = tf.backend_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const shape = [...batch, a.shape.at(transposeA ? -1 : -2)!, b.shape.at(transposeB ? -2 : -1)!];
  if (!graph.fused) {
    const [left, right] = [transposeA ? swapLast(graph, a) : a, transposeB ? swapLast(graph, b) : b];
    const product = graph.node('MatMul', [left, right], { shape });
    return scale === 1 ? product : graph.node('Mul', [product, graph.scalar(scale)], product);
  }
  return graph.node(
    'FusedMatMul',
    [a, b],
    { shape },
    {
      domain: 'com.microsoft',
      attributes: {
        transA: { int: transposeA ? 1 : 0 },
        transB: { int: transposeB ? 1 : 0 },
        alpha: { float: scale },
      },
    },
  );
}

function swapLast(graph: Graph, x: GraphValue): GraphValue {
  const axes = x.shape.map((_, axis) => axis);
  return transposeNode(graph, x, [...axes.slice(0, -2), axes.at(-1)!, axes.at(-2)!]);
}

export const matmulKernels: Record<string, TracingKernel> = {
  BatchMatMul: kernel(['a', 'b'], (graph, { a, b }, { transposeA, transposeB }) => {
    const options = { transposeA: Boolean(transposeA), transposeB: Boolean(transposeB) };
    return a.shape.length === 2 && b.shape.length === 2
      ? gemmNode(graph, a, b, options)
      : batchedMatMulNode(graph, a, b, options);
  }),
};
