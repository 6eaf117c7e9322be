/**
 * Plain trees: nested objects and arrays with leaves of one type. State, gradients and batches are trees, so that a
 * training step is a pure function from trees to trees (as in JAX). Any interface is such a tree, if all that it holds
 * ends in leaves.
 */

/** The same tree with its leaves replaced: `Mapped<{a: NdArray}, NdArray, Tensor>` is `{a: Tensor}`. */
export type Mapped<T, From, To> = T extends From ? To : { [K in keyof T]: Mapped<T[K], From, To> };

/**
 * Calls `change` on every leaf and keeps the form of the tree; names are visited in insertion order.
 * @param change gets the names on the way to the leaf as `path`, joined with '/'
 * @throws TypeError for a node that is neither leaf nor branch
 */
export function mapTree<T, From, To>(
  tree: T,
  isLeaf: (node: unknown) => node is From,
  change: (leaf: From, path: string) => To,
): Mapped<T, From, To> {
  const mapNode = (node: unknown, path: string): unknown => {
    if (isLeaf(node)) return change(node, path);
    if (typeof node !== 'object' || node === null) throw notALeaf(node, path);
    const below = (name: string | number) => (path === '' ? String(name) : `${path}/${name}`);
    if (Array.isArray(node)) return node.map((entry, index) => mapNode(entry, below(index)));
    return Object.fromEntries(Object.entries(node).map(([name, entry]) => [name, mapNode(entry, below(name))]));
  };
  return mapNode(tree, '') as Mapped<T, From, To>; // its form follows that of `tree`, which no type can prove
}

/** All leaves with their paths, in the order of `mapTree`; errors are the same. */
export function leavesOf<Leaf>(
  tree: unknown,
  isLeaf: (node: unknown) => node is Leaf,
): { readonly path: string; readonly leaf: Leaf }[] {
  const leaves: { path: string; leaf: Leaf }[] = [];
  // Training steps call it on a thousand leaves: no tree is made on the way.
  const visit = (node: unknown, path: string): void => {
    if (isLeaf(node)) {
      leaves.push({ path, leaf: node });
      return;
    }
    if (typeof node !== 'object' || node === null) throw notALeaf(node, path);
    const branch = node as Readonly<Record<string, unknown>>;
    for (const name of Object.keys(branch)) visit(branch[name], path === '' ? name : `${path}/${name}`);
  };
  visit(tree, '');
  return leaves;
}

function notALeaf(node: unknown, path: string): TypeError {
  return new TypeError(`${path} of a tree is ${String(node)}: no leaf`);
}
