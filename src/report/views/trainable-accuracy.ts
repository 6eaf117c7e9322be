/** Accuracy against the number of trainable parameters (supplement H): what a method buys with what it trains. */
import { groupBy } from '../../shared/groups.js';
import { datasetLabel } from '../curves/labels.js';
import { meanOverDatasets, type Repetition } from '../curves/repetition.js';
import { type Measurement, measure, type Table } from '../render/table.js';

/** One method on one data set, or on the mean of several. */
export interface TrainableAccuracy {
  readonly dataset: string;
  readonly method: string;
  /** Parameters that the trainings of a trial update, of all stitches together. */
  readonly trainable: number;
  /** Mean over the deployed stitches, percent; over the seeds. */
  readonly accuracy: Measurement;
  /** Whether the data set is the mean of several. */
  readonly isMean: boolean;
}

/** [] unless methods differ in what they train. */
export function trainableAccuraciesOf(repetitions: readonly Repetition[]): TrainableAccuracy[] {
  const known = repetitions.filter(({ trainable }) => trainable !== undefined);
  const means = meanOverDatasets(known);
  const groups = groupBy([...known, ...means], ({ dataset, method }) => JSON.stringify([dataset, method]));
  const points = [...groups.values()].map((seeds) => ({
    dataset: seeds[0]!.dataset,
    method: seeds[0]!.method,
    trainable: seeds[0]!.trainable!,
    accuracy: measure(seeds.map(deployedMean)),
    isMean: means.includes(seeds[0]!),
  }));
  const differ = [...groupBy(points, ({ dataset }) => dataset).values()].some(
    (same) => new Set(same.map(({ trainable }) => trainable)).size > 1,
  );
  return differ ? points : [];
}

function deployedMean({ stitches }: Repetition): number {
  return measure(stitches.filter(({ deployed }) => deployed).map(({ accuracy }) => accuracy)).mean;
}

/** Undefined when there is nothing to compare. */
export function trainableAccuracyView(points: readonly TrainableAccuracy[]): Table | undefined {
  if (points.length === 0) return undefined;
  return {
    name: 'trainable-accuracy',
    title: 'Accuracy against trainable parameters (as Figure E)',
    columns: [
      { key: 'dataset', label: 'Data set', kind: 'text', grouping: true },
      { key: 'method', label: 'Method', kind: 'text' },
      { key: 'trainable', label: 'Trainable (M)', kind: 'number', precision: 3 },
      { key: 'accuracy', label: 'Mean accuracy (%)', kind: 'number' },
    ],
    rows: points.map(({ dataset, method, trainable, accuracy }, index) => ({
      startsGroup: dataset !== points[index - 1]?.dataset,
      cells: { dataset: datasetLabel(dataset), method, trainable: trainable / 1e6, accuracy },
    })),
    notes: ['accuracy: mean over the deployed stitches; trainable: of all stitches and trainings of a trial together'],
  };
}
