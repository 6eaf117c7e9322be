/** Unary and binary kernels. ONNX broadcasts as TensorFlow.js does; numbers that are known while tracing stay scalars. */
import tf = require('@tensorflow/tfjs');

import type { ElementType, Graph, GraphValue } from '../graph.js';
import { sameShape } from '../graph.js';
import { kernel, type TracingKernel } from '../kernel.js';
import { elementTypeCodes } from '../model-proto.js';

/** One ONNX operator of one input. */
const unary = (operator: string, dtype?: ElementType): TracingKernel =>
  kernel(['x'], (graph, { x }) => {
    const seen = graph.unviewed(x);
    return graph.reshape(graph.node(operator, [seen], { shape: seen.shape, dtype: dtype ?? x.dtype }), x.shape);
  });

const broadcast = (a: GraphValue, b: GraphValue) =>
  tf.backend_util.assertAndGetBroadcastShape([...a.shape], [...b.shape]);

/** A fill is passed as a scalar: broadcasting does the rest. */
const operand = (graph: Graph, value: GraphValue) =>
  value.fill === undefined ? value : graph.scalar(value.fill, value.dtype);

/** Appends a broadcasting binary operator, folding numbers that are known. */
function binaryNode(
  graph: Graph,
  operator: string,
  a: GraphValue,
  b: GraphValue,
  { dtype, fold }: { dtype?: ElementType; fold?: (a: number, b: number) => number } = {},
): GraphValue {
  const shape = broadcast(a, b);
  const result = { shape, dtype: dtype ?? a.dtype };
  if (fold && a.fill !== undefined && b.fill !== undefined) {
    return graph.fill(fold(a.fill, b.fill), shape, result.dtype);
  }
  const unchanged = neutral(operator, a, b);
  if (unchanged) return expanded(graph, unchanged, shape);
  if (a.fill === undefined && b.fill === undefined && sameShape(a.shape, b.shape)) {
    // What is done element by element needs no view: where one is shown, both are taken in the shape of what it shows.
    const seen = [a, b].map((value) => graph.unviewed(value)).find(({ shape }) => !sameShape(shape, a.shape))?.shape;
    const [x, y] = [a, b].map((value) => graph.reshape(value, seen ?? shape)) as [GraphValue, GraphValue];
    return graph.reshape(graph.node(operator, [x, y], { shape: x.shape, dtype: result.dtype }), shape);
  }
  // A known number may stand as a scalar only beside an operand that has the full shape.
  const left = sameShape(b.shape, shape) && b.fill === undefined ? operand(graph, a) : a;
  const right = sameShape(a.shape, shape) && a.fill === undefined ? operand(graph, b) : b;
  return graph.node(operator, [left, right], result);
}

function expanded(graph: Graph, x: GraphValue, shape: readonly number[]): GraphValue {
  if (sameShape(x.shape, shape)) return x;
  return graph.node('Expand', [x, graph.int64s(shape)], { shape, dtype: x.dtype });
}

/** x * 1, x + 0, x - 0 and x / 1 are x, broadcast to the shape of both. */
function neutral(operator: string, a: GraphValue, b: GraphValue): GraphValue | undefined {
  const identity = { Mul: 1, Div: 1, Add: 0, Sub: 0 }[operator];
  if (identity === undefined) return undefined;
  if (b.fill === identity && a.fill === undefined) return a;
  const commutes = operator === 'Mul' || operator === 'Add';
  return commutes && a.fill === identity && b.fill === undefined ? b : undefined;
}

const binary = (
  operator: string,
  options: { dtype?: ElementType; fold?: (a: number, b: number) => number } = {},
): TracingKernel => kernel(['a', 'b'], (graph, { a, b }) => binaryNode(graph, operator, a, b, options));

const comparison = (operator: string) => binary(operator, { dtype: 'bool' });

export function castNode(graph: Graph, x: GraphValue, dtype: ElementType): GraphValue {
  if (x.dtype === dtype) return x;
  if (x.fill !== undefined) return graph.fill(dtype === 'int32' ? Math.trunc(x.fill) : x.fill, x.shape, dtype);
  return graph.node('Cast', [x], { shape: x.shape, dtype }, { attributes: { to: { int: elementTypeCodes[dtype] } } });
}

export const elementwiseKernels: Record<string, TracingKernel> = {
  Abs: unary('Abs'),
  Ceil: unary('Ceil'),
  Cos: unary('Cos'),
  Erf: unary('Erf'),
  Exp: unary('Exp'),
  Floor: unary('Floor'),
  IsInf: unary('IsInf', 'bool'),
  IsNan: unary('IsNaN', 'bool'),
  Log: unary('Log'),
  LogicalNot: unary('Not', 'bool'),
  Reciprocal: unary('Reciprocal'),
  Relu: unary('Relu'),
  Round: unary('Round'),
  Sigmoid: unary('Sigmoid'),
  Sign: unary('Sign'),
  Sin: unary('Sin'),
  Softplus: unary('Softplus'),
  Sqrt: unary('Sqrt'),
  Tan: unary('Tan'),
  Tanh: unary('Tanh'),
  Neg: kernel(['x'], (graph, { x }) =>
    x.fill === undefined ? graph.node('Neg', [x], x) : graph.fill(-x.fill, x.shape, x.dtype),
  ),
  Square: kernel(['x'], (graph, { x }) => binaryNode(graph, 'Mul', x, x, { fold: (a, b) => a * b })),
  Rsqrt: kernel(['x'], (graph, { x }) => graph.node('Reciprocal', [graph.node('Sqrt', [x], x)], x)),
  Log1p: kernel(['x'], (graph, { x }) => graph.node('Log', [graph.node('Add', [x, graph.scalar(1)], x)], x)),
  Expm1: kernel(['x'], (graph, { x }) => graph.node('Sub', [graph.node('Exp', [x], x), graph.scalar(1)], x)),
  IsFinite: kernel(['x'], (graph, { x }) => {
    const bool = { shape: x.shape, dtype: 'bool' as const };
    const either = graph.node('Or', [graph.node('IsNaN', [x], bool), graph.node('IsInf', [x], bool)], bool);
    return graph.node('Not', [either], bool);
  }),
  Step: kernel(['x'], (graph, { x }, { alpha }) => {
    const positive = graph.node('Greater', [x, graph.scalar(0)], { shape: x.shape, dtype: 'bool' });
    return graph.node('Where', [positive, graph.scalar(1), graph.scalar(Number(alpha ?? 0))], x);
  }),
  ClipByValue: kernel(['x'], (graph, { x }, { clipValueMin, clipValueMax }) =>
    graph.node('Clip', [x, graph.scalar(Number(clipValueMin)), graph.scalar(Number(clipValueMax))], x),
  ),
  Cast: kernel(['x'], (graph, { x }, { dtype }) => castNode(graph, x, dtype as ElementType)),
  Identity: kernel(['x'], (_graph, { x }) => x!),

  Add: binary('Add', { fold: (a, b) => a + b }),
  Sub: binary('Sub', { fold: (a, b) => a - b }),
  Multiply: binary('Mul', { fold: (a, b) => a * b }),
  RealDiv: binary('Div', { fold: (a, b) => a / b }),
  FloorDiv: kernel(['a', 'b'], (graph, { a, b }) => {
    const quotient = binaryNode(graph, 'Div', castNode(graph, a, 'float32'), castNode(graph, b, 'float32'));
    return castNode(graph, graph.node('Floor', [quotient], quotient), a.dtype);
  }),
  Maximum: binary('Max'),
  Minimum: binary('Min'),
  Pow: binary('Pow', { fold: (a, b) => a ** b }),
  SquaredDifference: kernel(['a', 'b'], (graph, { a, b }) => {
    const difference = binaryNode(graph, 'Sub', a, b);
    return graph.node('Mul', [difference, difference], difference);
  }),
  Equal: comparison('Equal'),
  Greater: comparison('Greater'),
  GreaterEqual: comparison('GreaterOrEqual'),
  Less: comparison('Less'),
  LessEqual: comparison('LessOrEqual'),
  LogicalAnd: comparison('And'),
  LogicalOr: comparison('Or'),
  NotEqual: kernel(['a', 'b'], (graph, { a, b }) => {
    const equal = binaryNode(graph, 'Equal', a, b, { dtype: 'bool' });
    return graph.node('Not', [equal], equal);
  }),
  // tf.where broadcasts before it selects, so the condition has the full shape.
  Select: kernel(['condition', 't', 'e'], (graph, { condition, t, e }) =>
    graph.node('Where', [condition, operand(graph, t), operand(graph, e)], t),
  ),
  AddN: kernel([], (graph, _inputs, _attributes, list) =>
    list.reduce((sum, term) => binaryNode(graph, 'Add', sum, term, { fold: (a, b) => a + b })),
  ),
};
