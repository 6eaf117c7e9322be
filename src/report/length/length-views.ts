/** Accuracy by length of training, and at equal training time. */
import { groupBy } from '../../shared/groups.js';
import { roundStep } from '../curves/budgets.js';
import { datasetLabel, durationLabel } from '../curves/labels.js';
import { type Cell, type Column, none, type Row, type Table } from '../render/table.js';
import type { TrainedLength } from './lengths.js';

const names: readonly Column[] = [
  { key: 'dataset', label: 'Data set', kind: 'text', grouping: true },
  { key: 'method', label: 'Method', kind: 'text', grouping: true },
];

/** Undefined where nothing was trained for several lengths. */
export function lengthView(lengths: readonly TrainedLength[]): Table | undefined {
  if (lengths.length === 0) return undefined;
  const rows = lengths.map(({ dataset, method, epochs, seeds, seconds, mean, best, drop }, index): Row => {
    const before = lengths[index - 1];
    return {
      startsGroup: before?.dataset !== dataset || before.method !== method,
      cells: { dataset: datasetLabel(dataset), method, epochs, seeds, seconds, mean, best, drop },
    };
  });
  return {
    name: 'lengths',
    title: 'Accuracy by length of training',
    columns: [
      ...names,
      { key: 'epochs', label: 'Epochs', kind: 'number', precision: 0 },
      { key: 'seeds', label: 'Seeds', kind: 'number', precision: 0 },
      { key: 'seconds', label: 'Training (s)', kind: 'number', precision: 0 },
      { key: 'mean', label: 'Mean (%)', kind: 'number' },
      { key: 'best', label: 'Best (%)', kind: 'number' },
      { key: 'drop', label: 'Largest drop', kind: 'number' },
    ],
    rows,
    notes: [
      'training: of all that the method trains, anchors before their stitches included; the grid of learning rates and the choice of what is deployed are left out',
      'mean: accuracy of the largest deployed stitch within a budget of FLOPs, over round budgets that all have a stitch for',
      ...deviationNote(lengths),
    ],
  };
}

/** For each of a few round times, what the longest training within it gives; undefined as above. */
export function equalTimeView(lengths: readonly TrainedLength[]): Table | undefined {
  if (lengths.length === 0) return undefined;
  const times = roundTimes(lengths.map(({ seconds }) => seconds.mean));
  const groups = groupBy(lengths, ({ dataset, method }) => JSON.stringify([dataset, method]));
  const rows = [...groups.values()].map((own, index, all): Row => {
    const { dataset, method } = own[0]!;
    const cells = times.map((time): [string, Cell] => {
      const longest = own.findLast(({ seconds }) => seconds.mean <= time);
      return [`${time}`, longest?.mean ?? none];
    });
    return {
      startsGroup: all.at(index - 1)![0]!.dataset !== dataset,
      cells: { dataset: datasetLabel(dataset), method, ...Object.fromEntries(cells) },
    };
  });
  return {
    name: 'equal-time',
    title: 'Methods at equal training time',
    columns: [
      ...names,
      ...times.map((time): Column => ({ key: `${time}`, label: `≤ ${durationLabel(time)}`, kind: 'number' })),
    ],
    rows,
    notes: [
      'mean accuracy (%), as above, of the longest training of the method that takes no longer; a computer that had other work beside is measured with it',
      ...deviationNote(lengths),
    ],
  };
}

function deviationNote(lengths: readonly TrainedLength[]): string[] {
  return lengths.some(({ seeds }) => seeds > 1) ? ['± standard deviation over seeds'] : [];
}

/** 1, 2 and 5 times powers of ten: from the first that some training fits to the first that all fit. */
function roundTimes(seconds: readonly number[]): number[] {
  const [first, last] = [Math.min(...seconds), Math.max(...seconds)].map(roundStep) as [number, number];
  const times = [first];
  while (times.at(-1)! < last) times.push(roundStep(times.at(-1)! * 1.5));
  return times;
}
