import assert from 'node:assert/strict';
import test from 'node:test';
import { type Value, Values } from '../../../../src/engine/nvidia/loops/value.js';
import { affine, isWhole, matrixOf } from '../../../../src/engine/nvidia/loops/views.js';

const values = new Values();
const input = (...shape: number[]) => values.make({ kind: 'input', name: `x${shape}` }, shape, 'float32');

/** Where each element of a view lies, counted by hand through the views. */
function places(view: Value): number[] {
  const { made } = view;
  const all = (shape: readonly number[]): number[][] =>
    shape.reduce<number[][]>(
      (lists, extent) => lists.flatMap((list) => Array.from({ length: extent }, (_, at) => [...list, at])),
      [[]],
    );
  if (made.kind !== 'view') return all(view.shape).map((_, at) => at);
  const [shown] = made.inputs;
  const below = places(shown);
  if (made.map.kind === 'reshape') return below;
  const flat = (at: readonly number[]) => at.reduce((sum, place, axis) => sum * shown.shape[axis]! + place, 0);
  const { map } = made;
  return all(view.shape).map((at) => {
    if (map.kind === 'transpose') return below[flat(shown.shape.map((_, axis) => at[map.order.indexOf(axis)]!))]!;
    if (map.kind === 'slice')
      return below[flat(at.map((place, axis) => map.starts[axis]! + place * map.steps[axis]!))]!;
    return below[flat(at.map((place, axis) => (shown.shape[axis] === 1 ? 0 : place)))]!;
  });
}

function byStrides(view: Value): number[] | undefined {
  const place = affine(view);
  if (!place) return undefined;
  return view.shape.reduce<number[]>(
    (offsets, extent, axis) =>
      offsets.flatMap((offset) => Array.from({ length: extent }, (_, at) => offset + at * place.strides[axis]!)),
    [place.offset],
  );
}

const heads = values.transpose(values.reshape(input(2, 3, 8), [2, 3, 2, 4]), [0, 2, 1, 3]);
const views: Readonly<Record<string, Value>> = {
  transposed: values.transpose(input(3, 4), [1, 0]),
  'heads of tokens': heads,
  'a part, backwards': values.slice(input(4, 6), [3, 1], [-1, 2], [3, 2]),
  'a repeated row': values.expand(input(1, 5), [3, 5]),
  'reshaped within axes': values.reshape(values.transpose(input(2, 6), [1, 0]), [2, 3, 2]),
};
for (const [name, view] of Object.entries(views)) {
  test(`strides say where elements lie: ${name}`, () => assert.deepEqual(byStrides(view), places(view)));
}

test('what is reshaped across a gap has no strides', () => {
  assert.equal(affine(values.reshape(values.transpose(input(2, 6), [1, 0]), [4, 3])), undefined);
  assert.equal(affine(values.reshape(heads, [4, 12])), undefined);
});

test('views that undo one another show the whole', () => {
  const back = values.reshape(values.transpose(heads, [0, 2, 1, 3]), [6, 8]);
  assert.ok(isWhole(back));
  assert.ok(!isWhole(heads));
  assert.ok(!isWhole(values.slice(input(4, 6), [1, 0], [1, 1], [3, 6])));
});

test('a matrix has rows, or columns, without gaps', () => {
  assert.deepEqual(matrixOf([3, 4], [4, 1]), { transposed: false, pitch: 4, offsets: [0] });
  assert.deepEqual(matrixOf([3, 4], [1, 3]), { transposed: true, pitch: 3, offsets: [0] });
  assert.deepEqual(matrixOf([2, 3, 4], [100, 8, 1]), { transposed: false, pitch: 8, offsets: [0, 100] });
  assert.deepEqual(matrixOf([1, 4], [99, 1]), { transposed: false, pitch: 4, offsets: [0] });
  assert.equal(matrixOf([3, 4], [8, 2]), undefined);
});
