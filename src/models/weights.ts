/** Trees of weights from a family's table of tensors: fresh ones, and both ways to a state dict with timm's names. */
import { type Float32NdArray, float32, type StateDict, sizeOf } from '../shared/arrays.js';
import type { NormalSource } from '../shared/random.js';
import { type Architecture, numFeatures } from './architecture.js';
import { imageFamilyOf } from './families.js';
import type { NetworkWeights } from './family.js';
import type { Linear } from './layers.js';
import { fromPublished, publishedShape, toPublished } from './layouts.js';
import { stacked } from './pretrained/formats/layout.js';
import { drawn, type Initial, placed, type TensorRow } from './tensor-table.js';

type Array32 = Float32NdArray;

/** Fresh weights as timm initialises them, drawn in the order of the table. */
export function initialWeights(
  { tensors }: Pick<Architecture, 'tensors'>,
  random: NormalSource,
): NetworkWeights<Array32> {
  return treeOf(tensors, ({ shape, initial }) => initialArray(shape, initial, random)) as NetworkWeights<Array32>;
}

/** A new classifier: trunc_normal(0.02), bias 0, as timm's when the number of classes changes. */
export function initialHead(width: number, classes: number, random: NormalSource): Linear<Array32> {
  return { weight: initialArray([width, classes], drawn, random), bias: float32([classes]) };
}

/** The tree of a network from timm's tensors; throws on a missing name. The head is separate: see `headFrom`. */
export function weightsFrom(stateDict: StateDict, { tensors }: Pick<Architecture, 'tensors'>): NetworkWeights<Array32> {
  return treeFrom(stateDict, tensors) as NetworkWeights<Array32>;
}

/** The pretrained classifier, where the state dict has one. */
export function headFrom(stateDict: StateDict, architecture: Architecture): Linear<Array32> | undefined {
  const rows = headRows(architecture, architecture.classes);
  if (!rows.every(({ published }) => published in stateDict)) return undefined;
  return treeFrom(stateDict, rows) as Linear<Array32>;
}

/** Back to timm's names and layouts. */
export function stateDictOf(
  architecture: Architecture,
  weights: NetworkWeights<Array32>,
  head?: Linear<Array32>,
): StateDict {
  const body = publishedFrom(weights, architecture.tensors);
  return head ? { ...body, ...publishedFrom(head, headRows(architecture, architecture.classes)) } : body;
}

/** The table of a head, whose paths are those inside a head. */
export function headRows(architecture: Architecture, classes: number): TensorRow[] {
  return placed({ part: 'head' }, imageFamilyOf(architecture).headRows(numFeatures(architecture), classes));
}

function initialArray(shape: readonly number[], initial: Initial, random: NormalSource): Array32 {
  if ('truncatedNormal' in initial) {
    return float32(shape, random.truncatedNormal(sizeOf(shape), initial.truncatedNormal));
  }
  return float32(shape, new Float32Array(sizeOf(shape)).fill(initial.constant));
}

function treeFrom(stateDict: StateDict, rows: readonly TensorRow[]): object {
  const counts = new Map<string, number>();
  for (const { published } of rows) counts.set(published, (counts.get(published) ?? 0) + 1);
  const read = new Map<string, number>();
  return treeOf(rows, ({ published, shape, layout }) => {
    const whole = stateDict[published];
    if (!whole) throw new Error(`the weights have no tensor ${published}`);
    // Heads are read whatever their number of classes, so that sizes matter only where tensors are stacked.
    if (counts.get(published) === 1) return fromPublished(layout, whole);
    const from = read.get(published) ?? 0;
    const extent = publishedShape(layout, shape)[0]!;
    read.set(published, from + extent);
    return fromPublished(layout, rowsOf(whole, from, extent));
  });
}

/** The state dict of the rows of a tree. */
export function publishedFrom(tree: object, rows: readonly TensorRow[]): StateDict {
  const parts: Record<string, Array32[]> = {};
  for (const { path, published, layout } of rows) {
    parts[published] ??= [];
    parts[published].push(toPublished(layout, leafAt(tree, path)));
  }
  return Object.fromEntries(
    Object.entries(parts).map(([name, arrays]) => [name, arrays.length === 1 ? arrays[0]! : stacked(arrays)]),
  );
}

/** A tree with a leaf for each row, in their order; a level whose names are numbers becomes an array. */
export function treeOf(rows: readonly TensorRow[], leafOf: (row: TensorRow) => object): object {
  const root: Branch = {};
  for (const row of rows) {
    const names = row.path.split('/');
    let branch = root;
    for (const [level, name] of names.slice(0, -1).entries()) {
      branch[name] ??= (/^\d+$/.test(names[level + 1]!) ? [] : {}) as Branch;
      branch = branch[name] as Branch;
    }
    branch[names.at(-1)!] = leafOf(row);
  }
  return root;
}

/** A level of a tree: names lead to levels below or to leaves. */
interface Branch {
  [name: string]: unknown;
}

function leafAt(tree: object, path: string): Array32 {
  return path.split('/').reduce<unknown>((node, name) => (node as Branch)[name], tree) as Array32;
}

/** Rows [from, from + count) along the first axis, copied. */
function rowsOf({ shape, data }: Array32, from: number, count: number): Array32 {
  const size = sizeOf(shape.slice(1));
  return float32([count, ...shape.slice(1)], data.slice(from * size, (from + count) * size));
}
