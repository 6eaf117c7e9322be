/** Products with matrices of 8 bits (src/engine/ops/quantised-linear.ts). */
import { partsOf, type Quantised, zeroCode } from '../../ops/quantised-linear.js';
import type { Graph, GraphValue } from '../graph.js';
import { kernel, type TracingKernel } from '../kernel.js';
import { castNode } from './elementwise.js';
import { gemmNode, rowsOf } from './matmul.js';
import { reduceNode } from './reduction.js';
import { concatNode, splitNode } from './shape.js';

const times = (graph: Graph, a: GraphValue, b: GraphValue) => graph.node('Mul', [a, b], a);

/** Products with codes in place of codes - zeroCode, set right: what a row lacks is zeroCode times its sum. */
function centred(graph: Graph, product: GraphValue, rows: GraphValue): GraphValue {
  const sums = reduceNode(graph, 'ReduceSum', rows, 1, true);
  const excess = graph.node('Mul', [sums, graph.scalar(zeroCode)], sums);
  return graph.node('Sub', [product, excess], product);
}

/** rows W^T */
function partOfProduct(graph: Graph, rows: GraphValue, { codes, scale }: Quantised<GraphValue>): GraphValue {
  const product = gemmNode(graph, rows, castNode(graph, codes, 'float32'), { transposeB: true });
  return times(graph, centred(graph, product, rows), scale);
}

/** dy W */
function partOfGradient(graph: Graph, dy: GraphValue, { codes, scale }: Quantised<GraphValue>): GraphValue {
  const rows = times(graph, dy, scale);
  return centred(graph, gemmNode(graph, rows, castNode(graph, codes, 'float32')), rows);
}

/** For an engine that multiplies with all parts at once. @param turned whether the matrix is meant, not its transpose */
function wholeProduct(graph: Graph, list: readonly GraphValue[], width: number, turned: boolean): GraphValue {
  const [x, ...matrices] = list as [GraphValue, ...GraphValue[]];
  const shape = [...x.shape.slice(0, -1), width];
  return graph.node(
    'QuantisedProduct',
    [x, ...matrices],
    { shape },
    {
      domain: 'esta',
      attributes: { turned: { int: turned ? 1 : 0 } },
    },
  );
}

export const quantisedKernels: Record<string, TracingKernel> = {
  EstaQuantisedLinear: kernel([], (graph, _inputs, _attributes, list) => {
    const { x, parts } = partsOf(list);
    const width = parts.reduce((sum, { codes }) => sum + codes.shape[0]!, 0);
    if (graph.multipliesCodes) return wholeProduct(graph, list, width, false);
    const rows = rowsOf(graph, x);
    const products = parts.map((part) => partOfProduct(graph, rows, part));
    return graph.reshape(concatNode(graph, products, 1), [...x.shape.slice(0, -1), width]);
  }),

  EstaQuantisedLinearGrad: kernel([], (graph, _inputs, _attributes, list) => {
    const { x: dy, parts } = partsOf(list);
    const width = parts[0]!.codes.shape[1]!;
    if (graph.multipliesCodes) return wholeProduct(graph, list, width, true);
    const sizes = parts.map(({ codes }) => codes.shape[0]!);
    const columns = splitNode(graph, rowsOf(graph, dy), sizes, 1);
    const products = parts.map((part, index) => partOfGradient(graph, columns[index]!, part));
    const sum = products.reduceRight((sum, product) => graph.node('Add', [sum, product], sum));
    return graph.reshape(sum, [...dy.shape.slice(0, -1), width]);
  }),
};
