/** What single stitches have gained by training further alone, beside what shared training gave them. */
import type { FinetunedResult, TrialResult } from '../../run-folder/result.js';
import type { TrialRecord } from '../../run-folder/trial-record.js';
import { counted, formatPercent } from '../../shared/costs/numbers.js';
import { capital, datasetLabel, learningRateLabel, methodLabel, pathLabel, stitchSummary } from '../curves/labels.js';
import { none, type Row, type Table } from '../render/table.js';

/** Columns that say which stitch was trained alone, and how. */
export const aloneColumns: Table['columns'] = [
  { key: 'dataset', label: 'Data set', kind: 'text', grouping: true },
  { key: 'method', label: 'Method', kind: 'text', grouping: true },
  { key: 'seed', label: 'Seed', kind: 'number', precision: 0 },
  { key: 'stitch', label: 'Stitch', kind: 'number', precision: 0 },
  { key: 'path', label: 'Blocks', kind: 'text' },
  { key: 'epochs', label: 'Epochs', kind: 'number', precision: 0 },
  { key: 'rate', label: 'Rate', kind: 'text' },
];

/** Their cells. */
export function aloneCells({ dataset, method, seed, stitches, epochs, learningRate }: TrialResult): Row['cells'] {
  const { id, path } = stitches[0]!;
  return {
    dataset: datasetLabel(dataset),
    method: methodLabel(method),
    seed,
    stitch: id,
    path: pathLabel(path),
    epochs,
    rate: learningRateLabel(learningRate),
  };
}

/** E.g. "5 epochs alone at base rate 1e-2". */
export function trainedAlone({ epochs, learningRate }: TrialResult): string {
  return `${counted(epochs, 'epoch')} alone at base rate ${learningRateLabel(learningRate)}`;
}

/** @param gain by how much those for validation are better now */
export function adviceOf(gain: number): string {
  return gain > 0 ? 'they favour the new one' : gain < 0 ? 'they favour the run as it is' : 'they favour neither';
}

/** Undefined where no stitch was trained alone. */
export function gainView(trials: readonly Pick<TrialRecord, 'result'>[]): Table | undefined {
  const rows = trials.flatMap(({ result }): Row[] => {
    if (!result?.finetuned) return [];
    const { shared, alone } = result.finetuned;
    return [
      {
        startsGroup: true,
        cells: {
          ...aloneCells(result),
          validationBefore: shared.validation ?? none,
          validation: alone.validation ?? none,
          before: shared.test,
          after: alone.test,
          gain: alone.test - shared.test,
        },
      },
    ];
  });
  if (rows.length === 0) return undefined;
  return {
    name: 'gain',
    title: 'Stitches that were trained further alone',
    columns: [
      ...aloneColumns,
      { key: 'validationBefore', label: 'Validation, shared (%)', kind: 'number' },
      { key: 'validation', label: 'alone (%)', kind: 'number' },
      { key: 'before', label: 'Test, shared (%)', kind: 'number' },
      { key: 'after', label: 'alone (%)', kind: 'number' },
      { key: 'gain', label: 'Gain', kind: 'number' },
    ],
    rows,
    notes: ['gain: percentage points of the test images, by which nothing was chosen'],
  };
}

/** What a fine-tuned stitch has gained, for people. @param testImages of how many the test accuracies are */
export function gainLines(result: TrialResult, testImages: number): string[] {
  const { shared, alone } = result.finetuned!;
  const [stitch] = result.stitches;
  const gain = alone.test - shared.test;
  const images = Math.round((Math.abs(gain) * testImages) / 100);
  const change = gain === 0 ? 'as before' : `${images} of ${testImages} images ${gain > 0 ? 'gained' : 'lost'}`;
  return [
    `${capital(stitchSummary(stitch!))}, after ${trainedAlone(result)}`,
    `Test images: ${formatPercent(shared.test)} before, ${formatPercent(alone.test)} now: ${change}`,
    validationLine(result.finetuned!),
  ];
}

function validationLine({ shared, alone }: FinetunedResult): string {
  if (shared.validation === undefined || alone.validation === undefined) {
    return 'Validation images: none were kept from training, so that nothing chose the learning rate';
  }
  const gain = alone.validation - shared.validation;
  return `Validation images: ${formatPercent(shared.validation)} before, ${formatPercent(alone.validation)} now: ${adviceOf(gain)}`;
}
