/** Every evaluated stitch of every finished trial, one a row, for other programs. */

import { seriesOf } from '../../run-folder/result.js';
import type { TrialRecord } from '../../run-folder/trial-record.js';
import { pathLabel } from '../curves/labels.js';
import { type PaperReference, paperAccuracy } from '../paper/paper.js';
import { none, type Row, type Table } from '../render/table.js';

export function stitchesView(trials: readonly TrialRecord[], reference: PaperReference): Table {
  const rows = trials.flatMap(({ run, result }): Row[] => {
    if (!result) return [];
    const { dataset, seed, learningRate } = result;
    const method = seriesOf(result);
    return result.stitches.map((stitch, index) => {
      const { id, flops, params, trainable, accuracy } = stitch;
      return {
        startsGroup: index === 0,
        cells: {
          run,
          dataset,
          method,
          seed,
          learningRate: String(learningRate),
          id,
          path: pathLabel(stitch.path),
          flops,
          params,
          trainable,
          accuracy,
          paper: paperAccuracy(reference, { dataset, method }, stitch) ?? none,
          // Saliencies start near 1e-7: digits, not places.
          importance: stitch.importance === undefined ? none : String(Number(stitch.importance.toPrecision(6))),
          bin: stitch.bin ?? none,
        },
      };
    });
  });
  const whole = (key: string, label: string) => ({ key, label, kind: 'number', precision: 0 }) as const;
  return {
    name: 'stitches',
    title: 'Evaluated stitches',
    columns: [
      { key: 'run', label: 'run', kind: 'text', grouping: true },
      { key: 'dataset', label: 'dataset', kind: 'text', grouping: true },
      { key: 'method', label: 'method', kind: 'text', grouping: true },
      whole('seed', 'seed'),
      { key: 'learningRate', label: 'learning rate', kind: 'number' },
      whole('id', 'stitch'),
      { key: 'path', label: 'blocks', kind: 'text' },
      whole('flops', 'FLOPs'),
      whole('params', 'parameters'),
      whole('trainable', 'trainable'),
      { key: 'accuracy', label: 'accuracy (%)', kind: 'number' },
      { key: 'paper', label: 'paper accuracy (%)', kind: 'number' },
      { key: 'importance', label: 'importance', kind: 'text' },
      whole('bin', 'bin'),
    ],
    rows,
    notes: [],
  };
}
