/** The fused kernels of language models (src/engine/ops) as few ONNX operators. */
import type { Graph, GraphValue } from '../graph.js';
import { kernel, type TracingKernel } from '../kernel.js';
import { batchedMatMulNode } from './matmul.js';
import { reduceNode } from './reduction.js';
import { sliceNode, transposeNode } from './shape.js';

const microsoft = 'com.microsoft';

const mul = (graph: Graph, a: GraphValue, b: GraphValue) => graph.node('Mul', [a, b], a);
const add = (graph: Graph, a: GraphValue, b: GraphValue) => graph.node('Add', [a, b], a);
const sub = (graph: Graph, a: GraphValue, b: GraphValue) => graph.node('Sub', [a, b], a);

/** [batch, tokens, heads * headWidth] -> [batch, groups, heads / groups * tokens, headWidth] */
function split(graph: Graph, x: GraphValue, heads: number, groups: number): GraphValue {
  const [batch, tokens, width] = x.shape as [number, number, number];
  const headed = transposeNode(graph, graph.reshape(x, [batch, tokens, heads, width / heads]), [0, 2, 1, 3]);
  return graph.reshape(headed, [batch, groups, (heads / groups) * tokens, width / heads]);
}

/** Back to [batch, tokens, heads * headWidth]. */
function join(graph: Graph, x: GraphValue, heads: number): GraphValue {
  const [batch, groups, rows, headWidth] = x.shape as [number, number, number, number];
  const tokens = (groups * rows) / heads;
  const headed = graph.reshape(x, [batch, heads, tokens, headWidth]);
  return graph.reshape(transposeNode(graph, headed, [0, 2, 1, 3]), [batch, tokens, heads * headWidth]);
}

/** Softmax of scaled and masked scores, in the shape of the scores of stacked queries. */
function probabilities(graph: Graph, query: GraphValue, key: GraphValue, mask: GraphValue, heads: number): GraphValue {
  const scale = 1 / Math.sqrt(query.shape[3]!);
  const scores = batchedMatMulNode(graph, query, key, { transposeB: true, scale });
  const [batch, groups, rows, keys] = scores.shape as [number, number, number, number];
  const masked = add(graph, graph.reshape(scores, [batch, heads, (groups * rows) / heads, keys]), mask);
  const softmax = graph.node('Softmax', [masked], masked, { attributes: { axis: { int: -1 } } });
  return graph.reshape(softmax, scores.shape);
}

/** Rotates the halves of every head; without ONNX Runtime's own operator. */
function rotated(graph: Graph, x: GraphValue, cosine: GraphValue, sine: GraphValue): GraphValue {
  const [batch, tokens, width] = x.shape as [number, number, number];
  const half = cosine.shape[1]!;
  const heads = width / (2 * half);
  const headed = graph.reshape(x, [batch, tokens, heads, 2 * half]);
  const [c, s] = [cosine, sine].map((table) => graph.reshape(table, [1, tokens, 1, half])) as [GraphValue, GraphValue];
  const [low, high] = [0, half].map((begin) =>
    sliceNode(graph, headed, [0, 0, 0, begin], [batch, tokens, heads, half]),
  ) as [GraphValue, GraphValue];
  const turned = [
    sub(graph, mul(graph, low, c), mul(graph, high, s)),
    add(graph, mul(graph, high, c), mul(graph, low, s)),
  ];
  return graph.reshape(graph.node('Concat', turned, headed, { attributes: { axis: { int: 3 } } }), x.shape);
}

export const languageKernels: Record<string, TracingKernel> = {
  EstaRmsNorm: kernel(['x', 'scale'], (graph, { x, scale }, { epsilon }) =>
    graph.nodeWithOutputs('SimplifiedLayerNormalization', [x, scale], [x, { shape: [...x.shape.slice(0, -1), 1] }], {
      attributes: { axis: { int: -1 }, epsilon: { float: Number(epsilon) } },
    }),
  ),

  EstaRmsNormGrad: kernel(['dy', 'x', 'scale', 'inverseRms'], (graph, { dy, x, scale, inverseRms }) => {
    const normalised = mul(graph, x, inverseRms);
    const g = mul(graph, dy, scale);
    const along = reduceNode(graph, 'ReduceMean', mul(graph, g, normalised), -1, true);
    return mul(graph, sub(graph, g, mul(graph, normalised, along)), inverseRms);
  }),

  EstaRotary: kernel(['x', 'cosine', 'sine'], (graph, { x, cosine, sine }) => {
    if (!graph.fused) return rotated(graph, x, cosine, sine);
    // Its tables are indexed by position; ours hold the tokens at hand, so that the first position is 0.
    const first = graph.constant([0], [1], 'int64');
    const heads = x.shape[2]! / (2 * cosine.shape[1]!);
    return graph.node('RotaryEmbedding', [x, first, cosine, sine], x, {
      domain: microsoft,
      attributes: { num_heads: { int: heads } },
    });
  }),

  EstaSwiGlu: kernel(['gate', 'up'], (graph, { gate, up }) =>
    mul(graph, mul(graph, gate, graph.node('Sigmoid', [gate], gate)), up),
  ),

  EstaSwiGluGrad: kernel(['dy', 'gate', 'up'], (graph, { dy, gate, up }) => {
    const s = graph.node('Sigmoid', [gate], gate);
    const silu = mul(graph, gate, s);
    // s (1 + gate (1 - s)) = silu + s (1 - silu)
    const slope = add(graph, silu, mul(graph, s, graph.node('Sub', [graph.scalar(1), silu], silu)));
    return [mul(graph, mul(graph, dy, up), slope), mul(graph, dy, silu)];
  }),

  EstaGroupedAttention: kernel(['query', 'key', 'value', 'mask'], (graph, { query, key, value, mask }, attributes) => {
    const [heads, groups] = [Number(attributes['heads']), Number(attributes['keyValueHeads'])];
    const q = split(graph, query, heads, groups);
    const [k, v] = [key, value].map((x) => split(graph, x, groups, groups)) as [GraphValue, GraphValue];
    return join(graph, batchedMatMulNode(graph, probabilities(graph, q, k, mask, heads), v), heads);
  }),

  EstaCachedAttention: kernel(
    ['query', 'key', 'value', 'rows', 'owners', 'first'],
    (graph, { query, key, value, rows, owners, first }, { heads }) =>
      graph.node('CachedAttention', [query, key, value, rows, owners, first], query, {
        domain: 'esta',
        attributes: { num_heads: { int: Number(heads) } },
      }),
  ),

  EstaGroupedAttentionGrad: kernel(['query', 'key', 'value', 'mask', 'dy', 'output'], (graph, inputs, attributes) => {
    const [heads, groups] = [Number(attributes['heads']), Number(attributes['keyValueHeads'])];
    const ofQueries = (x: GraphValue) => split(graph, x, heads, groups);
    const ofKeys = (x: GraphValue) => split(graph, x, groups, groups);
    const [query, dy] = [ofQueries(inputs.query), ofQueries(inputs.dy)];
    const [key, value] = [ofKeys(inputs.key), ofKeys(inputs.value)];
    const p = probabilities(graph, query, key, inputs.mask, heads);
    // rowsum(dP P) = rowsum(dO O), which is headWidth wide instead of keys wide.
    const rowSum = reduceNode(graph, 'ReduceSum', mul(graph, dy, ofQueries(inputs.output)), -1, true);
    const ds = mul(graph, sub(graph, batchedMatMulNode(graph, dy, value, { transposeB: true }), rowSum), p);
    const scale = 1 / Math.sqrt(query.shape[3]!);
    return [
      join(graph, batchedMatMulNode(graph, ds, key, { scale }), heads),
      join(graph, batchedMatMulNode(graph, ds, query, { transposeA: true, scale }), groups),
      join(graph, batchedMatMulNode(graph, p, dy, { transposeA: true }), groups),
    ];
  }),
};
