/**
 * How training goes on (supplement F): training loss by epoch, and test accuracy of what would be deployed after some of
 * the epochs, of the final run of the stitched network. Only of trials that noted such tests.
 */

import { stitchedStage } from '../../run-folder/trial-journal.js';
import { distinct, groupBy } from '../../shared/groups.js';
import { areDifferentTasks, datasetLabel, meanName } from '../curves/labels.js';
import type { NamedTrial } from '../curves/method-names.js';
import { type Column, type Measurement, measure, none, type Row, type Table } from '../render/table.js';

export interface ProgressPoint {
  /** Epochs that are done. */
  readonly epoch: number;
  readonly value: Measurement;
}

/** One method, or variant of an ablation, on one data set, over its seeds. */
export interface TrainingProgress {
  readonly dataset: string;
  readonly method: string;
  /** Mean cross-entropy of the sampled stitches with the labels. */
  readonly loss: readonly ProgressPoint[];
  /** Mean accuracy of the stitches that would be deployed, percent; the last one is the result of the trial. */
  readonly accuracy: readonly ProgressPoint[];
}

/** In order of appearance; with their mean over the data sets at the end, where there are several tasks. */
export function trainingProgressOf(trials: readonly NamedTrial[]): TrainingProgress[] {
  const noted = trials.flatMap((trial) => {
    const { result, journal, method } = trial;
    return result && journal && journal.tests.length > 0 ? [{ result, journal, method }] : [];
  });
  const groups = groupBy(noted, ({ result, method }) => JSON.stringify([result.dataset, method]));
  const progress = [...groups.values()].map((seeds): TrainingProgress => {
    const { result, method } = seeds[0]!;
    return {
      dataset: result.dataset,
      method,
      loss: byEpoch(
        seeds.flatMap(({ journal }) =>
          journal.metrics.map(({ epoch, loss, label_loss: labelLoss }) => ({ epoch, value: labelLoss ?? loss })),
        ),
      ),
      accuracy: byEpoch(
        seeds.flatMap(({ result: { stitches, stages, epochs }, journal }) => [
          ...journal.tests.map(({ epoch, accuracy }) => ({ epoch, value: accuracy })),
          {
            epoch: stages?.find(({ name }) => name === stitchedStage)?.epochs ?? epochs,
            value: measure(stitches.map(({ accuracy }) => accuracy)).mean,
          },
        ]),
      ),
    };
  });
  return [...progress, ...meansOf(progress)];
}

/** Over the data sets that every method has finished; [] for one task. */
function meansOf(progress: readonly TrainingProgress[]): TrainingProgress[] {
  const byMethod = groupBy(progress, ({ method }) => method);
  const datasets = distinct(progress.map(({ dataset }) => dataset)).filter((dataset) =>
    [...byMethod.values()].every((curves) => curves.some((curve) => curve.dataset === dataset)),
  );
  if (!areDifferentTasks(datasets)) return [];
  return [...byMethod].map(([method, curves]) => {
    const common = curves.filter(({ dataset }) => datasets.includes(dataset));
    const mean = (quantity: 'loss' | 'accuracy') =>
      byEpoch(common.flatMap((curve) => curve[quantity].map(({ epoch, value }) => ({ epoch, value: value.mean }))))
        .filter(({ value }) => value.count === common.length)
        // What data sets differ by is no spread of a measurement.
        .map(({ epoch, value }) => ({ epoch, value: { ...value, deviation: undefined } }));
    return { dataset: meanName(datasets), method, loss: mean('loss'), accuracy: mean('accuracy') };
  });
}

function byEpoch(points: readonly { readonly epoch: number; readonly value: number }[]): ProgressPoint[] {
  return [...groupBy(points, ({ epoch }) => epoch)]
    .map(([epoch, same]) => ({ epoch, value: measure(same.map(({ value }) => value)) }))
    .sort((a, b) => a.epoch - b.epoch);
}

/** Loss and accuracy at the epochs that were tested; undefined when none was. */
export function trainingView(progress: readonly TrainingProgress[]): Table | undefined {
  if (progress.length === 0) return undefined;
  const epochs = distinct(progress.flatMap(({ accuracy }) => accuracy.map(({ epoch }) => epoch))).sort((a, b) => a - b);
  const columns: Column[] = [
    { key: 'dataset', label: 'Data set', kind: 'text', grouping: true },
    { key: 'method', label: 'Method', kind: 'text', grouping: true },
    { key: 'quantity', label: '', kind: 'text' },
    ...epochs.map((epoch): Column => ({ key: `${epoch}`, label: `epoch ${epoch}`, kind: 'number' })),
  ];
  const rows = progress.flatMap(({ dataset, method, loss, accuracy }) => {
    const row = (quantity: string, points: readonly ProgressPoint[], startsGroup: boolean): Row => ({
      startsGroup,
      cells: {
        dataset: datasetLabel(dataset),
        method,
        quantity,
        ...Object.fromEntries(
          epochs.map((epoch) => [`${epoch}`, points.find((point) => point.epoch === epoch)?.value ?? none]),
        ),
      },
    });
    return [row('Training loss', loss, true), row('Test accuracy (%)', accuracy, false)];
  });
  const notes = [
    'training loss: mean cross-entropy with the labels of the stitches sampled in the epoch, with augmentation',
    'test accuracy: mean over the stitches that would be deployed then; nothing is chosen by it',
  ];
  return { name: 'training', title: 'Training loss and test accuracy by epoch (as Figure C)', columns, rows, notes };
}
