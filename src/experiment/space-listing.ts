/** The stitch space of an experiment as a list: what `esta stitches` prints. */
import type { Experiment } from '../config/schema/experiment.js';
import type { Table } from '../report/render/table.js';
import { stitchLabel } from '../stitching/space/stitch.js';
import { pstSpaceOf, type StitchCosts, stitchCosts } from './space.js';

/** All stitches by id, for a task with `classes` classes: what `--json` shows. */
export function listStitches(experiment: Experiment, classes: number): StitchCosts[] {
  const { space, network } = pstSpaceOf(experiment, classes);
  return space.stitches.map((stitch) => stitchCosts(stitch, experiment.anchors, network));
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
