/** What a node of a graph is given to become values. */
import type { GraphNode } from '../../onnx/model-proto.js';
import type { Value, Values } from './value.js';

/** How products are computed. */
export interface Products {
  /** Whether factors and results are of 16 bits. */
  readonly isMixed: boolean;
  /** Whether the second factor is best read along the sums, as the cores of a card read TF32. */
  readonly turnsSecond: boolean;
  /** By the name of a product in the graph, the order of axes in which it is best written. */
  readonly orders: ReadonlyMap<string, readonly number[]>;
}

export interface Conversion {
  readonly values: Values;
  readonly node: GraphNode;
  /** Inputs; those that are left out are undefined. */
  readonly given: readonly (Value | undefined)[];
  /** Whole numbers that are known: shapes and axes. */
  readonly whole: (index: number) => readonly number[] | undefined;
  readonly products: Products;
  /** Values that have their place in the memory of another, and inputs that cannot have one. */
  readonly placed: Set<Value>;
}

export type Convert = (conversion: Conversion) => Value | readonly Value[];

/** Operators, or forms of them, that have no kernel on a card. */
export class MissingOperators extends Error {
  constructor(readonly operators: readonly string[]) {
    super(`no kernel for ${operators.join(', ')}`);
  }
}
