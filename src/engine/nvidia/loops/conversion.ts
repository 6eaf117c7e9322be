/** What a node of a graph is given to become values. */
import type { GraphNode } from '../../onnx/model-proto.js';
import type { Products } from './products.js';
import type { Value, Values } from './value.js';

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
