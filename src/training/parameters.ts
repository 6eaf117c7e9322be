/** Between a network's tree of tensors and the flat dictionary of named tensors that optimizers and files want. */
import type { Engine, Value } from '../engine/engine.js';
import { type Float32NdArray, isFloat32 } from '../shared/arrays.js';
import { leavesOf, type Mapped, mapTree } from '../shared/tree.js';
import { type DeviceState, mapState, type Named, replaceValues, type StepState } from './training-state.js';

/** A leaf is anything with a shape: a host array, an engine's value or a tensor. */
interface Shaped {
  readonly shape: readonly number[];
}

function isShaped<Leaf extends Shaped>(node: unknown): node is Leaf {
  return typeof node === 'object' && node !== null && 'shape' in node && Array.isArray(node.shape);
}

/** Leaves by path: `weights/blocks/0/query/weight`. */
export function namedLeaves<Leaf extends Shaped>(tree: unknown): Record<string, Leaf> {
  return Object.fromEntries(leavesOf(tree, isShaped<Leaf>).map(({ path, leaf }) => [path, leaf]));
}

/** The tree of the same form as `template` whose leaves are taken from `named` by path. */
export function treeOf<Template, Leaf>(template: Template, named: Named<Leaf>): Mapped<Template, Float32NdArray, Leaf> {
  return mapTree(template, isFloat32, (_, path) => {
    const leaf = named[path];
    if (!leaf) throw new Error(`no tensor is named ${path}`);
    return leaf;
  });
}

/**
 * Runs a step on a whole state: its values are replaced by those that the step makes of them, and what was given is freed.
 * @param template a tree of the form that `run` wants the state in
 * @returns the rest of what the step gives, its measures
 */
export async function stepTree<Template, Given extends object, Result extends { readonly state: StepState<unknown> }>(
  engine: Engine,
  template: Template,
  state: DeviceState,
  given: Given,
  run: (inputs: { state: StepState<Mapped<Template, Float32NdArray, Value>> } & Given) => Promise<Result>,
): Promise<Omit<Result, 'state'>> {
  const before = mapState(state, (values) => treeOf(template, values));
  const { state: stepped, ...measures } = await run({ state: before, ...given });
  engine.free({ before, ...given });
  replaceValues(state, mapState(stepped, namedLeaves<Value>));
  return measures;
}
