/**
 * Small tensors of one shape as the rows of one tensor, so that what is done to each of them alike takes a few operators
 * and not a few for each: a stitch trains 60 to 150 tensors, and an operator on a small one costs more than its arithmetic.
 */
import tf = require('@tensorflow/tfjs');

/** Elements of a tensor that is still worth copying; a larger one stays alone. */
const largest = 2 ** 16;

/** Groups of items whose tensors have the same shape and whose keys are the same; large tensors and scalars stay alone. */
export function groupAlike<Item>(
  items: readonly Item[],
  of: (item: Item) => tf.Tensor,
  key = (_: Item) => '',
): Item[][] {
  const groups = new Map<string, Item[]>();
  for (const [index, item] of items.entries()) {
    const { shape, size } = of(item);
    const name = size > largest || shape.length === 0 ? `alone ${index}` : `[${shape}] ${key(item)}`;
    groups.set(name, [...(groups.get(name) ?? []), item]);
  }
  return [...groups.values()];
}

/** Tensors of one shape -> [tensors, elements of each]; one alone stays as it is. */
export function joinRows(tensors: readonly tf.Tensor[]): tf.Tensor {
  const [first] = tensors as [tf.Tensor];
  if (tensors.length === 1) return first;
  const joined = first.rank === 0 ? tf.stack([...tensors]) : tf.concat([...tensors], 0);
  return joined.reshape([tensors.length, first.size]);
}

/** Undoes `joinRows` for `count` tensors of `shape`. */
export function splitRows(rows: tf.Tensor, count: number, shape: readonly number[]): tf.Tensor[] {
  if (count === 1) return [rows];
  const [first, ...rest] = shape;
  return first === undefined
    ? tf.unstack(rows.reshape([count]))
    : tf.split(rows.reshape([count * first, ...rest]), count, 0);
}
