/** What each method trains, by group: the exact number of parameters, as supplement H compares them with accuracy. */

import type { TrainableGroups } from '../../run-folder/result.js';
import { seriesOf } from '../../run-folder/result.js';
import type { TrialRecord } from '../../run-folder/trial-record.js';
import { groupBy } from '../../shared/groups.js';
import { datasetLabel, methodLabel } from '../curves/labels.js';
import type { Column, Row, Table } from '../render/table.js';

const groups: readonly (readonly [group: keyof TrainableGroups, label: string])[] = [
  ['anchors', 'Anchors'],
  ['lowRank', 'Low-rank updates'],
  ['stitchingLayers', 'Stitching layers'],
  ['stitchBias', 'Stitch biases'],
  ['heads', 'Heads'],
  ['total', 'Total'],
];

/** Undefined when there is one method alone, or no finished trial tells what it trained. */
export function trainableView(trials: readonly TrialRecord[]): Table | undefined {
  const finished = trials.flatMap(({ result }) => (result?.stages ? [{ ...result, stages: result.stages }] : []));
  if (new Set(finished.map(seriesOf)).size < 2) return undefined;
  // All seeds of a method train the same tensors.
  const byMethod = groupBy(finished, (result) => JSON.stringify([result.dataset, seriesOf(result)]));
  const columns: Column[] = [
    { key: 'dataset', label: 'Data set', kind: 'text', grouping: true },
    { key: 'method', label: 'Method', kind: 'text' },
    { key: 'stage', label: 'Training', kind: 'text' },
    ...groups.map(([key, label]): Column => ({ key, label, kind: 'number', precision: 0 })),
  ];
  const rows = [...byMethod.values()].flatMap(([result]): Row[] => {
    const { dataset, stages } = result!;
    return stages.map(({ name, trainable }, index) => ({
      startsGroup: index === 0,
      cells: {
        dataset: datasetLabel(dataset),
        method: methodLabel(seriesOf(result!)),
        stage: name,
        ...Object.fromEntries(groups.map(([group]) => [group, trainable[group]])),
      },
    }));
  });
  const notes = ['parameters that a training updates, of all its stitches together; what they share counts once'];
  return { name: 'trainable', title: 'Trainable parameters', columns, rows, notes };
}
