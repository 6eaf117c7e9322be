/** Our fused kernels (src/engine/ops) as few ONNX operators, several of them ONNX Runtime's own (com.microsoft). */
import type { Graph, GraphValue } from '../graph.js';
import { kernel, type TracingKernel } from '../kernel.js';
import { batchedMatMulNode, gemmNode, rowsOf } from './matmul.js';
import { reduceNode } from './reduction.js';
import { transposeNode } from './shape.js';

const microsoft = 'com.microsoft';

const mul = (graph: Graph, a: GraphValue, b: GraphValue | string) => graph.node('Mul', [a, b], a);
const sub = (graph: Graph, a: GraphValue, b: GraphValue | string) => graph.node('Sub', [a, b], a);

/** [batch, tokens, heads * headWidth] -> [batch, heads, tokens, headWidth] */
function splitHeads(graph: Graph, x: GraphValue, heads: number): GraphValue {
  const [batch, tokens, width] = x.shape as [number, number, number];
  return transposeNode(graph, graph.reshape(x, [batch, tokens, heads, width / heads]), [0, 2, 1, 3]);
}

function joinHeads(graph: Graph, x: GraphValue): GraphValue {
  const [batch, heads, tokens, headWidth] = x.shape as [number, number, number, number];
  return graph.reshape(transposeNode(graph, x, [0, 2, 1, 3]), [batch, tokens, heads * headWidth]);
}

/** Whether attention is written out: where nothing fused may be used, and where it is short (Graph.shortSequence). */
const isWrittenOut = (graph: Graph, tokens: number) => !graph.fused || tokens <= graph.shortSequence;

/** Softmax of scaled scores. Of short sequences they are kept, of others computed again for the gradient. */
function probabilities(graph: Graph, query: GraphValue, key: GraphValue, causal: boolean): GraphValue {
  if (key.shape[2]! > graph.shortSequence) return softmaxOfScores(graph, query, key, causal);
  return graph.once(`softmax ${query.name} ${key.name} ${causal}`, () => softmaxOfScores(graph, query, key, causal));
}

/** A causal mask adds -1e9 above the diagonal. */
function softmaxOfScores(graph: Graph, query: GraphValue, key: GraphValue, causal: boolean): GraphValue {
  const scale = 1 / Math.sqrt(query.shape[3]!);
  const scores = batchedMatMulNode(graph, query, key, { transposeB: true, scale });
  const tokens = scores.shape[3]!;
  const masked = causal
    ? graph.node(
        'Add',
        [
          scores,
          graph.node(
            'Trilu',
            [graph.fill(-1e9, [tokens, tokens], 'float32'), graph.constant([1], [], 'int64')],
            { shape: [tokens, tokens] },
            { attributes: { upper: { int: 1 } } },
          ),
        ],
        scores,
      )
    : scores;
  return graph.node('Softmax', [masked], masked, { attributes: { axis: { int: -1 } } });
}

type Three = [GraphValue, GraphValue, GraphValue];

export const fusedKernels: Record<string, TracingKernel> = {
  EstaLinear: kernel(['x', 'weight', 'bias?'], (graph, { x, weight, bias }, { transpose }) => {
    const options = { transposeB: Boolean(transpose), ...(bias ? { addend: bias } : {}) };
    const product = gemmNode(graph, rowsOf(graph, x), weight, options);
    return graph.reshape(product, [...x.shape.slice(0, -1), product.shape[1]!]);
  }),

  EstaLowRankLinear: kernel(
    ['x', 'weight', 'bias?', 'down', 'up'],
    (graph, { x, weight, bias, down, up }, { scale }) => {
      const merged = gemmNode(graph, down, up, { scale: Number(scale), addend: weight });
      const product = gemmNode(graph, rowsOf(graph, x), merged, bias ? { addend: bias } : {});
      return [graph.reshape(product, [...x.shape.slice(0, -1), product.shape[1]!]), merged];
    },
  ),

  EstaLayerNorm: kernel(['x', 'scale', 'offset'], (graph, { x, scale, offset }, { epsilon }) => {
    const rows = rowsOf(graph, x);
    const statistics = { shape: [rows.shape[0]!, 1] };
    const [y, mean, inverseDeviation] = graph.nodeWithOutputs(
      'LayerNormalization',
      [rows, scale, offset],
      [rows, statistics, statistics],
      { attributes: { axis: { int: -1 }, epsilon: { float: Number(epsilon) } } },
    ) as Three;
    const ofRows = [...x.shape.slice(0, -1), 1];
    return [graph.reshape(y, x.shape), graph.reshape(mean, ofRows), graph.reshape(inverseDeviation, ofRows)];
  }),

  EstaLayerNormGrad: kernel(['dy', 'x', 'scale', 'mean', 'inverseDeviation'], (graph, { scale, ...inputs }) => {
    const rows = (value: GraphValue) => rowsOf(graph, value);
    const [dy, x, mean, inverseDeviation] = [
      rows(inputs.dy),
      rows(inputs.x),
      rows(inputs.mean),
      rows(inputs.inverseDeviation),
    ];
    const normalised = mul(graph, sub(graph, x, mean), inverseDeviation);
    const g = mul(graph, dy, scale);
    const along = reduceNode(graph, 'ReduceMean', mul(graph, g, normalised), -1, true);
    const centred = sub(graph, g, reduceNode(graph, 'ReduceMean', g, -1, true));
    const dx = mul(graph, sub(graph, centred, mul(graph, normalised, along)), inverseDeviation);
    return graph.reshape(dx, inputs.x.shape);
  }),

  EstaGelu: kernel(['x'], (graph, { x }) => {
    const rows = rowsOf(graph, x);
    if (!graph.standard) return graph.reshape(graph.node('Gelu', [rows], rows, { domain: microsoft }), x.shape);
    // The form that other runtimes recognise and fuse: x / 2 (1 + erf(x / sqrt 2)). Their own Gelu is of operators 20.
    const z = graph.node('Div', [rows, graph.scalar(Math.SQRT2)], rows);
    const twicePhi = graph.node('Add', [graph.node('Erf', [z], z), graph.scalar(1)], z);
    return graph.reshape(mul(graph, mul(graph, rows, twicePhi), graph.scalar(0.5)), x.shape);
  }),

  EstaGeluGrad: kernel(['dy', 'x'], (graph, inputs) => {
    const [dy, x] = [rowsOf(graph, inputs.dy), rowsOf(graph, inputs.x)];
    const z = mul(graph, x, graph.scalar(Math.SQRT1_2));
    // Phi(x) = erf(z) / 2 + 1 / 2 in one pass: HardSigmoid clips to [0, 1], which Phi never leaves.
    const phi = graph.node('HardSigmoid', [graph.node('Erf', [z], z)], z, {
      attributes: { alpha: { float: 0.5 }, beta: { float: 0.5 } },
    });
    // The density's factor 1 / sqrt(2 pi) goes into the exponent.
    const exponent = graph.node('Sub', [graph.scalar(-0.5 * Math.log(2 * Math.PI)), mul(graph, z, z)], z);
    const slope = mul(graph, x, graph.node('Exp', [exponent], exponent));
    return graph.reshape(mul(graph, graph.node('Add', [phi, slope], slope), dy), inputs.x.shape);
  }),

  EstaAttention: kernel(['query', 'key', 'value'], (graph, { query, key, value }, { heads, causal }) => {
    if (isWrittenOut(graph, key.shape[1]!)) {
      const [q, k, v] = [query, key, value].map((x) => splitHeads(graph, x, Number(heads))) as Three;
      return joinHeads(graph, batchedMatMulNode(graph, probabilities(graph, q, k, Boolean(causal)), v));
    }
    return graph.node('MultiHeadAttention', [query, key, value], query, {
      domain: microsoft,
      attributes: { num_heads: { int: Number(heads) }, unidirectional: { int: causal ? 1 : 0 } },
    });
  }),

  EstaAttentionGrad: kernel(['query', 'key', 'value', 'dy', 'output'], (graph, inputs, { heads, causal }) => {
    const split = (x: GraphValue) => splitHeads(graph, x, Number(heads));
    const [query, key, value, dy] = [split(inputs.query), split(inputs.key), split(inputs.value), split(inputs.dy)];
    const p = probabilities(graph, query, key, Boolean(causal));
    // rowsum(dP P) = rowsum(dO O), which is headWidth wide instead of tokens wide.
    const headed = graph.reshape(mul(graph, inputs.dy, inputs.output), [
      ...inputs.dy.shape.slice(0, 2),
      Number(heads),
      inputs.dy.shape[2]! / Number(heads),
    ]);
    const rowSum = transposeNode(graph, reduceNode(graph, 'ReduceSum', headed, -1, true), [0, 2, 1, 3]);
    const dp = batchedMatMulNode(graph, dy, value, { transposeB: true });
    const ds = mul(graph, sub(graph, dp, rowSum), p);
    const scale = 1 / Math.sqrt(query.shape[3]!);
    return [
      batchedMatMulNode(graph, ds, key, { scale }),
      batchedMatMulNode(graph, ds, query, { transposeA: true, scale }),
      batchedMatMulNode(graph, p, dy, { transposeA: true }),
    ].map((x) => joinHeads(graph, x));
  }),
};
