/** Tracing kernels: what the tracer runs in place of a TensorFlow.js kernel. */
import type { Graph, GraphValue } from './graph.js';

/** Graph values by the names that a kernel declares; 'bias?' may be absent. */
type Inputs<Names extends string> = {
  readonly [Name in Names as Name extends `${string}?` ? never : Name]: GraphValue;
} & {
  readonly [Name in Names as Name extends `${infer Optional}?` ? Optional : never]?: GraphValue;
};

type Attributes = Readonly<Record<string, unknown>>;
type Run<In> = (
  graph: Graph,
  inputs: In,
  attributes: Attributes,
  /** For the kernels with a list of inputs (Concat, Pack, AddN). */
  list: readonly GraphValue[],
) => GraphValue | GraphValue[];

/** A kernel that appends to the graph: declared inputs and attributes in, the graph values of its outputs out. */
export interface TracingKernel {
  readonly inputs: readonly string[];
  readonly run: Run<never>;
}

/** @param inputs names as TensorFlow.js gives them; those that end with '?' may be absent */
export function kernel<const Name extends string>(inputs: readonly Name[], run: Run<Inputs<Name>>): TracingKernel {
  return { inputs, run };
}

/** Throws when an input that the kernel declares is absent, naming both. */
export function runKernel(
  name: string,
  { inputs, run }: TracingKernel,
  graph: Graph,
  values: Readonly<Record<string, GraphValue>>,
  attributes: Attributes,
): GraphValue | GraphValue[] {
  const absent = inputs.find((input) => !input.endsWith('?') && !values[input]);
  if (absent) throw new Error(`kernel ${name} was given no input ${absent}, but ${Object.keys(values).join(', ')}`);
  return run(graph, values as never, attributes, Object.values(values)); // its own names are there
}
