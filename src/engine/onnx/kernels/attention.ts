/**
 * Attention (src/engine/ops/attention.ts) as few ONNX operators.
 *
 * Written out, each head is a matrix [headWidth, tokens], across: on the CPU that is moved three times as fast as [tokens,
 * headWidth], which a copy takes from the rows head by head, and the products that sum over queries need no turned matrix of
 * [tokens, tokens].
 */
import type { Graph, GraphValue } from '../graph.js';
import { kernel, type TracingKernel } from '../kernel.js';
import { batchedMatMulNode } from './matmul.js';
import { reduceNode } from './reduction.js';
import { transposeNode } from './shape.js';

/** [batch, tokens, heads * headWidth] -> [batch, heads, headWidth, tokens] */
function across(graph: Graph, x: GraphValue, heads: number): GraphValue {
  return transposeNode(graph, byHead(graph, x, heads), [0, 2, 3, 1]);
}

/** The heads of x [batch, tokens, heads * headWidth] as [tokens, headWidth] operands: turned in place where a product can. */
function along(graph: Graph, x: GraphValue, heads: number): { readonly x: GraphValue; readonly turned: boolean } {
  return graph.fused
    ? { x: across(graph, x, heads), turned: true }
    : { x: transposeNode(graph, byHead(graph, x, heads), [0, 2, 1, 3]), turned: false };
}

function byHead(graph: Graph, x: GraphValue, heads: number): GraphValue {
  const [batch, tokens, width] = x.shape as [number, number, number];
  return graph.reshape(x, [batch, tokens, heads, width / heads]);
}

/** Back to [batch, tokens, heads * headWidth]. @param order of the axes: batch, tokens, heads, headWidth */
function joined(graph: Graph, x: GraphValue, order: readonly number[]): GraphValue {
  const y = transposeNode(graph, x, order);
  const [batch, tokens, heads, headWidth] = y.shape as [number, number, number, number];
  return graph.reshape(y, [batch, tokens, heads * headWidth]);
}

const joinedAlong = (graph: Graph, x: GraphValue) => joined(graph, x, [0, 2, 1, 3]);
const joinedAcross = (graph: Graph, x: GraphValue) => joined(graph, x, [0, 3, 1, 2]);

/** Whether attention is written out: where nothing fused may be used, and where it is short (Graph.shortSequence). */
const isWrittenOut = (graph: Graph, tokens: number) => !graph.fused || tokens <= graph.shortSequence;

interface AttentionAttributes {
  readonly heads: number;
  readonly causal: boolean;
}

/** Softmax of scaled scores. Of short sequences they are kept, of others computed again for the gradient. */
function probabilities(graph: Graph, query: GraphValue, key: GraphValue, attributes: AttentionAttributes): GraphValue {
  const make = () => softmaxOfScores(graph, query, key, attributes);
  if (key.shape[1]! > graph.shortSequence) return make();
  return graph.once(`softmax ${query.name} ${key.name} ${attributes.heads} ${attributes.causal}`, make);
}

/** A causal mask adds -1e9 above the diagonal. */
function softmaxOfScores(
  graph: Graph,
  query: GraphValue,
  key: GraphValue,
  { heads, causal }: AttentionAttributes,
): GraphValue {
  const { x, turned } = along(graph, query, heads);
  const scale = Math.sqrt(heads / query.shape[2]!);
  const scores = batchedMatMulNode(graph, x, across(graph, key, heads), { transposeA: turned, scale });
  const masked = causal ? graph.node('Add', [scores, futureMask(graph, scores.shape[3]!)], scores) : scores;
  return graph.node('Softmax', [masked], masked, { attributes: { axis: { int: -1 } } });
}

function futureMask(graph: Graph, tokens: number): GraphValue {
  const shape = [tokens, tokens];
  const mask = graph.fill(-1e9, shape, 'float32');
  const attributes = { upper: { int: 1 } };
  return graph.node('Trilu', [mask, graph.constant([1], [], 'int64')], { shape }, { attributes });
}

const attributesOf = ({ heads, causal }: Readonly<Record<string, unknown>>): AttentionAttributes => ({
  heads: Number(heads),
  causal: Boolean(causal),
});

/** rowsum(dP P) = rowsum(dO O), which is headWidth wide instead of tokens wide: [batch, heads, tokens, 1]. */
function rowSums(graph: Graph, dy: GraphValue, output: GraphValue, heads: number): GraphValue {
  const products = byHead(graph, graph.node('Mul', [dy, output], dy), heads);
  return transposeNode(graph, reduceNode(graph, 'ReduceSum', products, -1, true), [0, 2, 1, 3]);
}

export const attentionKernels: Record<string, TracingKernel> = {
  EstaAttention: kernel(['query', 'key', 'value'], (graph, { query, key, value }, given) => {
    const attributes = attributesOf(given);
    const { heads, causal } = attributes;
    if (isWrittenOut(graph, key.shape[1]!)) {
      const { x: values, turned } = along(graph, value, heads);
      const p = probabilities(graph, query, key, attributes);
      return joinedAlong(graph, batchedMatMulNode(graph, p, values, { transposeB: turned }));
    }
    return graph.node('MultiHeadAttention', [query, key, value], query, {
      domain: 'com.microsoft',
      attributes: { num_heads: { int: heads }, unidirectional: { int: causal ? 1 : 0 } },
    });
  }),

  EstaAttentionGrad: kernel(['query', 'key', 'value', 'dy', 'output'], (graph, inputs, given) => {
    const { query, key, value, dy, output } = inputs;
    const attributes = attributesOf(given);
    const { heads } = attributes;
    const p = probabilities(graph, query, key, attributes);
    const sums = graph.keepsProbabilities ? undefined : rowSums(graph, dy, output, heads);
    const upstream = along(graph, dy, heads);
    const valuesAcross = across(graph, value, heads);
    const dp = batchedMatMulNode(graph, upstream.x, valuesAcross, { transposeA: upstream.turned });
    const rowSum = sums ?? reduceNode(graph, 'ReduceSum', graph.node('Mul', [dp, p], dp), -1, true);
    const ds = graph.node('Mul', [graph.node('Sub', [dp, rowSum], dp), p], dp);
    const scale = Math.sqrt(heads / query.shape[2]!);
    const keys = along(graph, key, heads);
    return [
      joinedAlong(graph, batchedMatMulNode(graph, ds, keys.x, { transposeB: keys.turned, scale })),
      joinedAcross(graph, batchedMatMulNode(graph, across(graph, query, heads), ds, { scale })),
      joinedAcross(graph, batchedMatMulNode(graph, across(graph, dy, heads), p)),
    ];
  }),
};
