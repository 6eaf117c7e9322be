import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leavesOf, mapTree } from '../../src/shared/tree.js';

const isNumber = (node: unknown): node is number => typeof node === 'number';

interface Layer<T> {
  readonly weight: T;
  readonly bias?: T;
}

test('mapTree keeps the form of the tree, at run time and in its type', () => {
  const tree: { readonly layers: readonly Layer<number>[]; readonly scale: number } = {
    layers: [{ weight: 1, bias: 2 }, { weight: 3 }],
    scale: 4,
  };
  const mapped = mapTree(tree, isNumber, (leaf, path) => `${path}=${leaf}`);
  const layers: readonly Layer<string>[] = mapped.layers; // compiles: an interface without index signature stays one
  assert.deepEqual(layers, [{ weight: 'layers/0/weight=1', bias: 'layers/0/bias=2' }, { weight: 'layers/1/weight=3' }]);
  assert.equal(mapped.scale, 'scale=4');
});

test('leaves come in the order in which names were inserted', () => {
  assert.deepEqual(
    leavesOf({ b: [1, 2], a: { c: 3 } }, isNumber).map(({ path }) => path),
    ['b/0', 'b/1', 'a/c'],
  );
  assert.deepEqual(leavesOf(7, isNumber), [{ path: '', leaf: 7 }]);
});

test('what is neither leaf nor branch is refused with its path', () => {
  assert.throws(() => leavesOf({ a: [1, 'two'] }, isNumber), /^TypeError: a\/1 of a tree is two: no leaf$/);
  assert.throws(() => leavesOf({ a: undefined }, isNumber), /a of a tree is undefined/);
});
