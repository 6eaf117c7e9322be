/** Our fused kernels (src/engine/ops) as few ONNX operators, several of them ONNX Runtime's own (com.microsoft). */
import type { Graph, GraphValue } from '../graph.js';
import { kernel, type TracingKernel } from '../kernel.js';
import { gemmNode, rowsOf } from './matmul.js';
import { reduceNode } from './reduction.js';

const microsoft = 'com.microsoft';

const mul = (graph: Graph, a: GraphValue, b: GraphValue | string) => graph.node('Mul', [a, b], a);
const sub = (graph: Graph, a: GraphValue, b: GraphValue | string) => graph.node('Sub', [a, b], a);

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
    if (graph.standard) return graph.reshape(standardGelu(graph, rows), x.shape);
    // Here, so that the gradient may have them precede what it remakes; left out of the program where nobody asks.
    if (isKept(graph, x)) normalDistribution(graph, rows);
    const y = graph.once(`Gelu ${rows.name}`, () => graph.node('Gelu', [rows], rows, { domain: microsoft }));
    return graph.reshape(y, x.shape);
  }),

  EstaGeluGrad: kernel(['dy', 'x'], (graph, inputs) => {
    const [dy, x] = [rowsOf(graph, inputs.dy), rowsOf(graph, inputs.x)];
    const { z, phi } = normalDistribution(graph, x);
    const y = graph.known(`Gelu ${x.name}`);
    if (y && isKept(graph, inputs.x)) graph.remake(y, 'Mul', [x, phi]);
    // x times the density exp(-z^2) / sqrt(2 pi), whose factor goes into the exponent, with x = sqrt(2) z.
    const exponent = graph.node('Sub', [graph.scalar(-0.5 * Math.log(Math.PI)), mul(graph, z, z)], z);
    const slope = mul(graph, z, graph.node('Exp', [exponent], exponent));
    return graph.reshape(mul(graph, graph.node('Add', [phi, slope], slope), dy), inputs.x.shape);
  }),
};

/**
 * Whether the normal distribution of x is kept from the forward pass, for GELU and its gradient alike: what is this small
 * stays in the processor's cache (1040 rows of 256: 0.52 ms in place of 0.62; of 1576 x 768 it is no faster). Not on a card,
 * whose graphs keep nothing of short sequences.
 */
const isKept = ({ shortSequence }: Graph, { shape }: GraphValue) =>
  shortSequence > 0 && shape.reduce((product, extent) => product * extent, 1) <= 2 ** 19;

/** z = x / sqrt(2), and Phi(x) = erf(z) / 2 + 1 / 2; made once. */
function normalDistribution(graph: Graph, x: GraphValue): { readonly z: GraphValue; readonly phi: GraphValue } {
  const z = graph.once(`${x.name} / sqrt 2`, () => mul(graph, x, graph.scalar(Math.SQRT1_2)));
  const phi = graph.once(`Phi ${x.name}`, () => {
    // In one pass: HardSigmoid clips to [0, 1], which Phi never leaves.
    const attributes = { alpha: { float: 0.5 }, beta: { float: 0.5 } };
    return graph.node('HardSigmoid', [graph.node('Erf', [z], z)], z, { attributes });
  });
  return { z, phi };
}

/** The form that other runtimes recognise and fuse: x / 2 (1 + erf(x / sqrt 2)). Their own Gelu is of operators 20. */
function standardGelu(graph: Graph, x: GraphValue): GraphValue {
  const z = graph.node('Div', [x, graph.scalar(Math.SQRT2)], x);
  const twicePhi = graph.node('Add', [graph.node('Erf', [z], z), graph.scalar(1)], z);
  return mul(graph, mul(graph, x, twicePhi), graph.scalar(0.5));
}
