/** Between a network's tree of tensors and the flat dictionary of named tensors that optimizers and files want. */
import { type Float32NdArray, isFloat32 } from '../shared/arrays.js';
import { leavesOf, type Mapped, mapTree } from '../shared/tree.js';
import type { Named } from './training-state.js';

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
