/**
 * A program for the card before it becomes kernels: values and what each is made of. A `map` computes each element from the
 * elements at its place, a view only says where elements lie, reductions and products are what they are called. Equal
 * definitions are one value.
 */
import { sizeOf } from '../../../shared/arrays.js';
import { sameShape } from '../../onnx/graph.js';

/** bfloat16 is float32 without the lower half of its bits: it is stored so, and computed with as float32. */
export type LoopType = 'float32' | 'int32' | 'bool' | 'uint8' | 'bfloat16';

export const bytesPerElement: Readonly<Record<LoopType, number>> = {
  float32: 4,
  int32: 4,
  bool: 1,
  uint8: 1,
  bfloat16: 2,
};

export type Reduction = 'sum' | 'max' | 'min' | 'prod';

/** Where the elements of a view lie in what it shows. */
export type ViewMap =
  /** The same elements in the same order. */
  | { readonly kind: 'reshape' }
  /** Axis i shows axis order[i]. */
  | { readonly kind: 'transpose'; readonly order: readonly number[] }
  | { readonly kind: 'slice'; readonly starts: readonly number[]; readonly steps: readonly number[] }
  /** Axes of extent one are repeated. */
  | { readonly kind: 'expand' };

export type Definition =
  /**
   * `copy`: of an input that lies elsewhere already, one more in memory of the program. `isNarrow`: the same in bfloat16, where
   * the engine keeps it.
   */
  | { readonly kind: 'input'; readonly name: string; readonly copy?: number; readonly isNarrow?: true }
  | { readonly kind: 'constant'; readonly bytes: Uint8Array }
  | { readonly kind: 'number'; readonly number: number }
  /** C++ of one element, inputs being $0, $1, ...; they are broadcast to the shape of the value. */
  | {
      readonly kind: 'map';
      readonly code: string;
      readonly inputs: readonly Value[];
      /** Made once more, for gradients: it is another value. */
      readonly again?: true;
    }
  /** Over the last axis, which stays with extent one. */
  | { readonly kind: 'reduce'; readonly by: Reduction; readonly inputs: readonly [Value] }
  /** Of [outer, reduced, inner] to [outer, inner]. */
  | { readonly kind: 'columns'; readonly by: Reduction; readonly inputs: readonly [Value] }
  /** alpha a b over the last two axes, batch axes before them; the axes of the result are those of the product in `order`. */
  | {
      readonly kind: 'product';
      readonly alpha: number;
      readonly inputs: readonly [Value, Value];
      readonly order: readonly number[];
    }
  | { readonly kind: 'view'; readonly map: ViewMap; readonly inputs: readonly [Value] }
  /** One after the other along an axis. */
  | { readonly kind: 'concat'; readonly axis: number; readonly inputs: readonly Value[] }
  /** The same, side by side in memory: parts are written into it. */
  | { readonly kind: 'packed'; readonly inputs: readonly Value[] }
  | {
      readonly kind: 'pad';
      readonly before: readonly number[];
      readonly number: number;
      readonly inputs: readonly [Value];
    }
  /** inputs: data, int32 indices */
  | { readonly kind: 'gather'; readonly axis: number; readonly inputs: readonly [Value, Value] }
  /** Rows of the second are added to zeros [rows, width], at the places that int32 [count] says. */
  | { readonly kind: 'scatter'; readonly inputs: readonly [Value, Value] }
  /** x [rows, in] times the transposes of matrices of 8 bits, one below the other: x, then codes and scale of each. */
  | { readonly kind: 'coded'; readonly inputs: readonly Value[] }
  /** Matrices of 8 bits, one below the other, as numbers: the codes of each. `only`: for which product, and for no other. */
  | { readonly kind: 'decoded'; readonly only: string; readonly inputs: readonly Value[] }
  /** A fixed input with rows of keys and values written into it (ops/cached-attention.ts): rows, key, value, first. */
  | { readonly kind: 'kept'; readonly inputs: readonly [Value, Value, Value, Value] }
  /** Attention to what is kept: query, rows, owners, first. */
  | { readonly kind: 'attended'; readonly heads: number; readonly inputs: readonly [Value, Value, Value, Value] };

export interface Value {
  /** Its place in the order in which values were defined: inputs stand before what reads them. */
  readonly id: number;
  readonly shape: readonly number[];
  readonly type: LoopType;
  readonly made: Definition;
  /** Elements from row to row in memory, where rows are apart: the cores of the card want addresses in steps of 16 bytes. */
  readonly pitch?: number;
}

/** JSON has neither infinities nor NaN, and no -0. */
function exactly(_: string, value: unknown): unknown {
  if (Object.is(value, -0)) return '-0';
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}

export function inputsOf({ made }: Value): readonly Value[] {
  return 'inputs' in made ? made.inputs : [];
}

/** Values that lie between a forward pass and the gradient behind it, at least: a few blocks of a network. */
const far = 250;
/** Elements from which memory counts more than the launch of a kernel. */
const large = 2 ** 21;

/** Whether it is one of `Values.again`. */
export const isMadeAgain = ({ made }: Value) => made.kind === 'map' && made.again === true;

export class Values {
  /** Inputs that lie where they lie: frozen weights. */
  readonly lasting = new Set<Value>();
  private readonly known = new Map<string, Value>();
  readonly all: Value[] = [];
  /** Results of norms, whose inputs and statistics their gradients need anyway. */
  readonly norms = new Set<Value>();

  make(made: Definition, shape: readonly number[], type: LoopType, pitch?: number): Value {
    const { inputs = [], ...rest } = made as Definition & { readonly inputs?: readonly Value[] };
    const text = made.kind === 'constant' ? Buffer.from(made.bytes).toString('base64') : JSON.stringify(rest, exactly);
    const key = `${text} ${inputs.map(({ id }) => id)} [${shape}] ${type} ${pitch ?? ''}`;
    const existing = this.known.get(key);
    if (existing) return existing;
    const value = { id: this.all.length, shape, type, made, ...(pitch !== undefined && { pitch }) };
    this.known.set(key, value);
    this.all.push(value);
    return value;
  }

  number(number: number, type: LoopType = 'float32'): Value {
    return this.make({ kind: 'number', number }, [], type);
  }

  map(code: string, inputs: readonly Value[], type: LoopType = inputs[0]!.type): Value {
    return this.make({ kind: 'map', code, inputs }, broadcast(inputs.map(({ shape }) => shape)), type);
  }

  reshape(value: Value, shape: readonly number[]): Value {
    if (sameShape(value.shape, shape)) return value;
    const { made } = value;
    if (made.kind === 'view' && made.map.kind === 'reshape') return this.reshape(made.inputs[0], shape);
    return this.make({ kind: 'view', map: { kind: 'reshape' }, inputs: [value] }, shape, value.type);
  }

  transpose(value: Value, order: readonly number[]): Value {
    if (order.every((axis, index) => axis === index)) return value;
    const { made } = value;
    if (made.kind === 'view' && made.map.kind === 'transpose') {
      const inner = made.map.order;
      return this.transpose(
        made.inputs[0],
        order.map((axis) => inner[axis]!),
      );
    }
    const shape = order.map((axis) => value.shape[axis]!);
    return this.make({ kind: 'view', map: { kind: 'transpose', order }, inputs: [value] }, shape, value.type);
  }

  slice(value: Value, starts: readonly number[], steps: readonly number[], shape: readonly number[]): Value {
    if (sameShape(value.shape, shape) && steps.every((step) => step === 1)) return value;
    return this.make({ kind: 'view', map: { kind: 'slice', starts, steps }, inputs: [value] }, shape, value.type);
  }

  expand(value: Value, shape: readonly number[]): Value {
    if (sameShape(value.shape, shape)) return value;
    const padded = this.reshape(value, [...shape.slice(value.shape.length).map(() => 1), ...value.shape]);
    return this.make({ kind: 'view', map: { kind: 'expand' }, inputs: [padded] }, shape, value.type);
  }

  /** The last axis goes, by keeping it with extent one. */
  reduce(by: Reduction, value: Value): Value {
    if (value.shape.at(-1) === 1) return value;
    return this.make({ kind: 'reduce', by, inputs: [value] }, [...value.shape.slice(0, -1), 1], value.type);
  }

  /**
   * The same, but large norms of long ago, below the views that show them, are made once more: one pass over memory, where they
   * would take it from the forward pass to the gradient.
   */
  again(value: Value): Value {
    const { made, shape, type } = value;
    if (made.kind === 'view') {
      const shown = this.again(made.inputs[0]);
      return shown === made.inputs[0] ? value : this.make({ ...made, inputs: [shown] }, shape, type);
    }
    const isWanted = this.norms.has(value) && this.all.length - value.id >= far && sizeOf(shape) >= large;
    return isWanted && made.kind === 'map' ? this.make({ ...made, again: true }, shape, type) : value;
  }

  /** The same with rows apart by whole steps of elements, where it is computed element by element; else as it is. */
  padded(value: Value, step: number): Value {
    const { made, shape, type, pitch } = value;
    if (made.kind === 'view') {
      return this.make({ ...made, inputs: [this.padded(made.inputs[0], step)] }, shape, type);
    }
    const width = shape.at(-1) ?? step;
    if (made.kind !== 'map' || pitch !== undefined || width % step === 0) return value;
    return this.make(made, shape, type, Math.ceil(width / step) * step);
  }

  /** In bfloat16 below the views that show it: what is shown twice is rounded once. */
  narrow(value: Value): Value {
    if (value.type === 'bfloat16') return value;
    const { made } = value;
    if (made.kind === 'view') {
      const inputs = [this.narrow(made.inputs[0])] as const;
      return this.make({ ...made, inputs }, value.shape, 'bfloat16');
    }
    if (made.kind === 'input' && this.lasting.has(value)) {
      return this.make({ ...made, isNarrow: true }, value.shape, 'bfloat16');
    }
    // What was widened from 16 bits is in them already.
    if (made.kind === 'map' && made.code === '$0' && made.inputs[0]?.type === 'bfloat16') return made.inputs[0];
    return this.map('rounded($0)', [value], 'bfloat16');
  }
}

export function broadcast(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map(({ length }) => length));
  return Array.from({ length: rank }, (_, axis) =>
    Math.max(...shapes.map((shape) => shape[axis - rank + shape.length] ?? 1)),
  );
}
