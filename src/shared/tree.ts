/**
 * Plain trees: nested objects and arrays with leaves of one type. State, gradients and batches are trees, so that a
 * training step is a pure function from trees to trees (as in JAX).
 */
export type Tree<Leaf> = Leaf | readonly Tree<Leaf>[] | { readonly [name: string]: Tree<Leaf> };

/** The same tree with its leaves replaced: `Mapped<{a: NdArray}, Tensor>` is `{a: Tensor}`. */
export type Mapped<T, From, To> = T extends From ? To : { [K in keyof T]: Mapped<T[K], From, To> };

type IsLeaf<Leaf> = (node: Tree<Leaf>) => node is Leaf;

/** Calls `change` on every leaf; names are visited in insertion order, `path` joins them with '/'. */
export function mapTree<From, To>(
  tree: Tree<From>,
  isLeaf: IsLeaf<From>,
  change: (leaf: From, path: string) => To,
  path = '',
): Tree<To> {
  if (isLeaf(tree)) return change(tree, path);
  const below = (name: string | number) => (path === '' ? String(name) : `${path}/${name}`);
  if (Array.isArray(tree)) return tree.map((node, index) => mapTree(node, isLeaf, change, below(index)));
  const entries = Object.entries(tree as { [name: string]: Tree<From> });
  return Object.fromEntries(entries.map(([name, node]) => [name, mapTree(node, isLeaf, change, below(name))]));
}

/** All leaves with their paths, in the order of `mapTree`. */
export function leavesOf<Leaf>(tree: Tree<Leaf>, isLeaf: IsLeaf<Leaf>): { path: string; leaf: Leaf }[] {
  const leaves: { path: string; leaf: Leaf }[] = [];
  mapTree(tree, isLeaf, (leaf, path) => leaves.push({ path, leaf }));
  return leaves;
}
