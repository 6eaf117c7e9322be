/** Products with matrices of 8 bits (src/engine/ops/quantised-linear.ts). */
import { zeroCode } from '../../ops/quantised-linear.js';
import type { Graph, GraphValue } from '../graph.js';
import { kernel, type TracingKernel } from '../kernel.js';
import { castNode } from './elementwise.js';
import { gemmNode, rowsOf } from './matmul.js';
import { reduceNode } from './reduction.js';

const times = (graph: Graph, a: GraphValue, b: GraphValue) => graph.node('Mul', [a, b], a);

/** Products with codes in place of codes - zeroCode, set right: what a row lacks is zeroCode times its sum. */
function centred(graph: Graph, product: GraphValue, rows: GraphValue): GraphValue {
  const sums = reduceNode(graph, 'ReduceSum', rows, 1, true);
  const excess = graph.node('Mul', [sums, graph.scalar(zeroCode)], sums);
  return graph.node('Sub', [product, excess], product);
}

export const quantisedKernels: Record<string, TracingKernel> = {
  EstaQuantisedLinear: kernel(['x', 'codes', 'scale'], (graph, { x, codes, scale }) => {
    const rows = rowsOf(graph, x);
    const product = gemmNode(graph, rows, castNode(graph, codes, 'float32'), { transposeB: true });
    const shape = [...x.shape.slice(0, -1), codes.shape[0]!];
    return graph.reshape(times(graph, centred(graph, product, rows), scale), shape);
  }),

  EstaQuantisedLinearGrad: kernel(['dy', 'codes', 'scale'], (graph, { dy, codes, scale }) => {
    const rows = times(graph, rowsOf(graph, dy), scale);
    const product = gemmNode(graph, rows, castNode(graph, codes, 'float32'));
    return graph.reshape(centred(graph, product, rows), [...dy.shape.slice(0, -1), codes.shape[1]!]);
  }),
};
