/** Between a network's tree of tensors and the flat dictionary of named tensors that optimizers and files want. */
import { leavesOf, mapTree, type Tree } from '../shared/tree.js';
import type { Named } from './optimizer.js';

/** A leaf is anything with a shape: a host array, an engine's value or a tensor. */
interface Shaped {
  readonly shape: readonly number[];
}

function isShaped<Leaf extends Shaped>(node: Tree<Leaf>): node is Leaf {
  return 'shape' in node && Array.isArray(node.shape);
}

/** Leaves by path: `weights/blocks/0/query/weight`. */
export function namedLeaves<Leaf extends Shaped>(tree: unknown): Record<string, Leaf> {
  return Object.fromEntries(leavesOf(tree as Tree<Leaf>, isShaped<Leaf>).map(({ path, leaf }) => [path, leaf]));
}

/** The tree of the same form as `template` whose leaves are taken from `named` by path. */
export function treeOf<T>(template: unknown, named: Named<Shaped>): T {
  return mapTree(template as Tree<Shaped>, isShaped, (_, path) => {
    const leaf = named[path];
    if (!leaf) throw new Error(`no tensor is named ${path}`);
    return leaf;
  }) as unknown as T;
}
