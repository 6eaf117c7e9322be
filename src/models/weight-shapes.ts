/** The shapes of all weights of a network by the path of the leaf in its tree: `blocks/3/query/weight`. */
import type { Architecture } from './architecture.js';
import { type Place, rowsAt } from './tensor-table.js';

export type Shapes = Readonly<Record<string, readonly number[]>>;

/** Shapes of what belongs to one place, by path; empty where the network has nothing there. */
export function weightShapesOf({ tensors }: Pick<Architecture, 'tensors'>, place: Place): Shapes {
  return Object.fromEntries(rowsAt(tensors, place).map(({ path, shape }) => [path, shape]));
}
