/** What each method trains, by group: the exact number of parameters, as supplement H compares them with accuracy. */

import { groupBy } from '../../shared/groups.js';
import type { TrainableParams } from '../../stitching/space/cost.js';
import { datasetLabel } from '../curves/labels.js';
import type { NamedTrial } from '../curves/method-names.js';
import type { Column, Row, Table } from '../render/table.js';

const groups: readonly (readonly [group: keyof TrainableParams, label: string])[] = [
  ['anchors', 'Anchors'],
  ['lowRank', 'Low-rank updates'],
  ['stitchingLayers', 'Stitching layers'],
  ['stitchBias', 'Stitch biases'],
  ['heads', 'Heads'],
  ['total', 'Total'],
];

/** Undefined when there is one method alone, or no finished trial tells what it trained. */
export function trainableView(trials: readonly NamedTrial[]): Table | undefined {
  const finished = trials.flatMap(({ result, method }) =>
    result?.stages ? [{ dataset: result.dataset, method, stages: result.stages }] : [],
  );
  if (new Set(finished.map(({ method }) => method)).size < 2) return undefined;
  // All seeds of a method train the same tensors.
  const byMethod = groupBy(finished, ({ dataset, method }) => JSON.stringify([dataset, method]));
  const columns: Column[] = [
    { key: 'dataset', label: 'Data set', kind: 'text', grouping: true },
    { key: 'method', label: 'Method', kind: 'text' },
    { key: 'stage', label: 'Training', kind: 'text' },
    ...groups.map(([key, label]): Column => ({ key, label, kind: 'number', precision: 0 })),
  ];
  const rows = [...byMethod.values()].flatMap(([first]): Row[] => {
    const { dataset, method, stages } = first!;
    return stages.map(({ name, trainable }, index) => ({
      startsGroup: index === 0,
      cells: {
        dataset: datasetLabel(dataset),
        method,
        stage: name,
        ...Object.fromEntries(groups.map(([group]) => [group, trainable[group]])),
      },
    }));
  });
  const notes = ['parameters that a training updates, of all its stitches together; what they share counts once'];
  return { name: 'trainable', title: 'Trainable parameters', columns, rows, notes };
}
