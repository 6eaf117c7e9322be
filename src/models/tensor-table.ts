/**
 * A network's tensors as a table, one row a tensor of the tree. Each family writes one table; shapes, counts of
 * parameters, fresh weights (`weights.ts`) and both conversions between the tree and a published state dict derive from
 * it.
 */
import { sizeOf } from '../shared/arrays.js';
import { type Layout, publishedShape } from './layouts.js';

/** What a tensor belongs to. `entry` is what leads into the stage that begins with the block, such as a downsampling. */
export type Place =
  | { readonly part: 'embedding' | 'norm' | 'head' }
  | { readonly part: 'block' | 'entry'; readonly block: number };

/** Values of a fresh network: one constant, or drawn from a normal distribution that is cut off at two deviations. */
export type Initial = { readonly constant: number } | { readonly truncatedNormal: number };

export interface TensorRow {
  /** Path of the leaf in the tree, and its name in files of trained weights: `blocks/3/query/weight`. */
  readonly path: string;
  /** timm's name. Rows that share one are stacked along its first axis, in the order of the table: q, k and v. */
  readonly published: string;
  /** In the tree. */
  readonly shape: readonly number[];
  readonly layout: Layout;
  readonly initial: Initial;
  readonly place: Place;
}

/** A row before it is said what it belongs to. */
export type PlacelessRow = Omit<TensorRow, 'place'>;

/** What timm draws matrices, filters, tokens and position embeddings from: trunc_normal_(std=0.02). */
export const drawn: Initial = { truncatedNormal: 0.02 };
export const zeros: Initial = { constant: 0 };
export const ones: Initial = { constant: 1 };

/** The order of rows is the order in which fresh weights are drawn: changing it changes what a seed means. */
export function placed(place: Place, rows: readonly PlacelessRow[]): TensorRow[] {
  return rows.map((row) => ({ ...row, place }));
}

/** A tensor that is the same in the tree and in state dicts. */
export function tensor(path: string, published: string, shape: readonly number[], initial: Initial): PlacelessRow {
  return { path, published, shape, layout: 'same', initial };
}

/** weight [from, to], bias [to] */
export function linearRows(path: string, published: string, from: number, to: number): PlacelessRow[] {
  const weight = { path: below(path, 'weight'), published: `${published}.weight`, shape: [from, to] };
  return [{ ...weight, layout: 'linear', initial: drawn }, biasRow(path, published, to)];
}

/** A linear layer on patches of `side` x `side` positions: weight [side * side * from, to], bias [to]. */
export function patchRows(path: string, published: string, side: number, from: number, to: number): PlacelessRow[] {
  const weight = { path: below(path, 'weight'), published: `${published}.weight`, shape: [side * side * from, to] };
  return [{ ...weight, layout: { patches: side }, initial: drawn }, biasRow(path, published, to)];
}

/** scale and offset [width] of a LayerNorm */
export function normRows(path: string, published: string, width: number): PlacelessRow[] {
  return [
    tensor(`${path}/scale`, `${published}.weight`, [width], ones),
    tensor(`${path}/offset`, `${published}.bias`, [width], zeros),
  ];
}

function biasRow(path: string, published: string, to: number): PlacelessRow {
  return tensor(below(path, 'bias'), `${published}.bias`, [to], zeros);
}

/** The rows that belong to one place; none where the network has nothing there. */
export function rowsAt(rows: readonly TensorRow[], place: Place): TensorRow[] {
  const blockOf = (of: Place) => ('block' in of ? of.block : undefined);
  return rows.filter((row) => row.place.part === place.part && blockOf(row.place) === blockOf(place));
}

/** Parameters of what belongs to one place. */
export function paramsAt(rows: readonly TensorRow[], place: Place): number {
  return rowsAt(rows, place).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}

/** Shapes of the published tensors by their names. */
export function publishedShapes(rows: readonly TensorRow[]): Record<string, readonly number[]> {
  const shapes: Record<string, readonly number[]> = {};
  for (const { published, shape, layout } of rows) {
    const [extent, ...rest] = publishedShape(layout, shape);
    shapes[published] = [(shapes[published]?.[0] ?? 0) + extent!, ...rest];
  }
  return shapes;
}

function below(path: string, name: string): string {
  return path === '' ? name : `${path}/${name}`;
}
