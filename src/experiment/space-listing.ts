/** The stitch space of an experiment as a list: what `esta stitches` prints. */
import type { Experiment } from '../config/schema/experiment.js';
import type { Table } from '../report/render/table.js';
import { stitchFlops, stitchParams, trainableParams } from '../stitching/space/cost.js';
import { stitchLabel } from '../stitching/space/stitch.js';
import { pstSpaceOf } from './space.js';

/** One stitch, as `--json` shows it. */
export interface ListedStitch {
  readonly id: number;
  /** Blocks [from, to) of each anchor on the path. */
  readonly path: readonly { readonly anchor: string; readonly blocks: readonly [from: number, to: number] }[];
  /** Multiply-accumulates of one image, low-rank updates beside the weights: how Table I counts. */
  readonly flops: number;
  /** Parameters of the deployed network, everything merged. */
  readonly params: number;
  /** Parameters that a training step on this stitch updates. */
  readonly trainable: number;
}

/** All stitches by id, for a task with `classes` classes. */
export function listStitches(experiment: Experiment, classes: number): ListedStitch[] {
  const { space, network } = pstSpaceOf(experiment, classes);
  return space.stitches.map((stitch) => ({
    id: stitch.id,
    path: stitch.path.map(({ anchor, blocks }) => ({ anchor: experiment.anchors[anchor]!.name, blocks })),
    flops: stitchFlops(stitch, network),
    params: stitchParams(stitch, network).total,
    trainable: trainableParams(stitch, network).total,
  }));
}

/** The list for people. */
export function stitchTable(experiment: Experiment, classes: number, task: string): Table {
  const names = experiment.anchors.map(({ name }) => name);
  const { space } = pstSpaceOf(experiment, classes);
  const listed = listStitches(experiment, classes);
  // Small anchors cost millions, the paper's billions: one unit for the whole column.
  const largest = Math.max(...listed.map(({ flops }) => flops));
  const [unit, size] = largest >= 1e9 ? ['G', 1e9] : ['M', 1e6];
  return {
    name: 'stitches',
    title: `${experiment.name}: ${listed.length} stitches, ${experiment.text ? `${experiment.text.cutoff} tokens` : `${classes} classes`} (${task})`,
    columns: [
      { key: 'id', label: 'id', kind: 'number', precision: 0 },
      { key: 'path', label: 'path: anchor[from-to)', kind: 'text' },
      { key: 'flops', label: `FLOPs (${unit})`, kind: 'number' },
      { key: 'params', label: 'params (M)', kind: 'number' },
      { key: 'trainable', label: 'trainable (M)', kind: 'number', precision: 3 },
    ],
    rows: listed.map(({ id, flops, params, trainable }) => ({
      cells: {
        id,
        path: stitchLabel(space.stitches[id]!, names).replaceAll(']', ')'),
        flops: flops / size,
        params: params / 1e6,
        trainable: trainable / 1e6,
      },
    })),
    notes: [],
  };
}
