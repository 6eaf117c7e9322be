/** One element of ONNX's pointwise operators, in C++; $0, $1, ... are the elements of the inputs. */
import type { GraphNode } from '../../onnx/model-proto.js';
import { floatOf } from './attributes.js';
import type { LoopType } from './value.js';

interface Pointwise {
  readonly code: string;
  /** Default: that of the first input. */
  readonly type?: LoopType;
}

const of = (code: string, type?: LoopType): Pointwise => (type ? { code, type } : { code });

const table: Readonly<Record<string, Pointwise>> = {
  Abs: of('($0 < 0 ? -$0 : $0)'),
  Ceil: of('ceilf($0)'),
  Cos: of('cosf($0)'),
  Erf: of('erff($0)'),
  Exp: of('expf($0)'),
  Floor: of('floorf($0)'),
  IsInf: of('isinf($0)', 'bool'),
  IsNaN: of('isnan($0)', 'bool'),
  Log: of('logf($0)'),
  Not: of('!$0', 'bool'),
  Reciprocal: of('1.0f / $0'),
  Relu: of('($0 < 0 ? 0 : $0)'),
  Round: of('rintf($0)'),
  Sigmoid: of('1.0f / (1.0f + expf(-$0))'),
  Sign: of('($0 > 0) - ($0 < 0)'),
  Sin: of('sinf($0)'),
  Softplus: of('($0 > 0 ? $0 + log1pf(expf(-$0)) : log1pf(expf($0)))'),
  Sqrt: of('sqrtf($0)'),
  Tan: of('tanf($0)'),
  Tanh: of('tanhf($0)'),
  Neg: of('-($0)'),
  Gelu: of('0.5f * $0 * (1.0f + erff(0.70710678118654752f * $0))'),
  Add: of('$0 + $1'),
  Sub: of('$0 - $1'),
  Mul: of('$0 * $1'),
  Div: of('$0 / $1'),
  Max: of('($0 > $1 || $0 != $0 ? $0 : $1)'),
  Min: of('($0 < $1 || $0 != $0 ? $0 : $1)'),
  Pow: of('powf($0, $1)'),
  Equal: of('$0 == $1', 'bool'),
  Greater: of('$0 > $1', 'bool'),
  GreaterOrEqual: of('$0 >= $1', 'bool'),
  Less: of('$0 < $1', 'bool'),
  LessOrEqual: of('$0 <= $1', 'bool'),
  And: of('$0 && $1', 'bool'),
  Or: of('$0 || $1', 'bool'),
  Clip: of('($0 < $1 ? $1 : $0 > $2 ? $2 : $0)'),
};

/** Undefined for an operator that is not computed element by element. */
export function pointwise({ operator, attributes }: Pick<GraphNode, 'operator' | 'attributes'>): Pointwise | undefined {
  if (operator !== 'HardSigmoid') return table[operator];
  const [alpha, beta] = [attributes['alpha'], attributes['beta']].map((given) => literal(floatOf(given, 0)));
  return of(`fminf(1.0f, fmaxf(0.0f, ${alpha} * $0 + ${beta}))`);
}

/** A float of C++ that is read as exactly this number. */
export function literal(number: number): string {
  if (Number.isNaN(number)) return 'NAN';
  if (!Number.isFinite(number)) return number > 0 ? 'INFINITY' : '(-INFINITY)';
  const text = Math.fround(number).toString();
  const real = /[.e]/.test(text) ? text : `${text}.0`;
  return number < 0 || Object.is(number, -0) ? `(${real}f)` : `${real}f`;
}
