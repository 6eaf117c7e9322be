/** What single stitches of language models have gained by training further alone. */
import type { TextScores, TrialResult } from '../../run-folder/result.js';
import type { TrialRecord } from '../../run-folder/trial-record.js';
import { formatCost } from '../../shared/costs/format-cost.js';
import { formatPercent } from '../../shared/costs/numbers.js';
import { pathLabel } from '../curves/labels.js';
import type { Row, Table } from '../render/table.js';
import { adviceOf, aloneCells, aloneColumns, trainedAlone } from '../views/gain-view.js';

/** Only where test texts were held out. */
const testColumns: Table['columns'] = [
  { key: 'testBefore', label: 'Test loss, shared', kind: 'number', precision: 4 },
  { key: 'test', label: 'alone', kind: 'number', precision: 4 },
  { key: 'testPerplexityBefore', label: 'Perplexity, shared', kind: 'number', precision: 3 },
  { key: 'testPerplexity', label: 'alone', kind: 'number', precision: 3 },
];

/** Undefined where no stitch of language models was trained alone. */
export function languageGainView(trials: readonly Pick<TrialRecord, 'result'>[]): Table | undefined {
  const rows = trials.flatMap(({ result }): Row[] => {
    if (!result?.finetunedLanguage) return [];
    const { shared, alone } = result.finetunedLanguage;
    const cells = {
      ...aloneCells(result),
      before: shared.validation.loss,
      after: alone.validation.loss,
      perplexityBefore: Math.exp(shared.validation.loss),
      perplexity: Math.exp(alone.validation.loss),
      ...(shared.test &&
        alone.test && {
          testBefore: shared.test.loss,
          test: alone.test.loss,
          testPerplexityBefore: Math.exp(shared.test.loss),
          testPerplexity: Math.exp(alone.test.loss),
        }),
    };
    return [{ startsGroup: true, cells }];
  });
  if (rows.length === 0) return undefined;
  const hasTest = rows.some(({ cells }) => cells['test'] !== undefined);
  return {
    name: 'language-gain',
    title: 'Stitches of language models that were trained further alone',
    columns: [
      ...aloneColumns,
      { key: 'before', label: 'Validation loss, shared', kind: 'number', precision: 4 },
      { key: 'after', label: 'alone', kind: 'number', precision: 4 },
      { key: 'perplexityBefore', label: 'Perplexity, shared', kind: 'number', precision: 3 },
      { key: 'perplexity', label: 'alone', kind: 'number', precision: 3 },
      ...(hasTest ? testColumns : []),
    ],
    rows,
    notes: [
      'loss: cross-entropy in nats per learned token, perplexity its exponential',
      ...(hasTest ? ['test: on texts that nothing was chosen by'] : []),
    ],
  };
}

/** What a fine-tuned stitch has gained, for people. */
export function languageGainLines(result: TrialResult): string[] {
  const { shared, alone } = result.finetunedLanguage!;
  const { id, path, params } = result.stitches[0]!;
  const advice = adviceOf(shared.validation.loss - alone.validation.loss);
  return [
    `Stitch ${id}, ${pathLabel(path)}: ${formatCost('params', params)}, after ${trainedAlone(result)}`,
    `Validation texts: ${changed(shared.validation, alone.validation)}: ${advice}`,
    shared.test && alone.test
      ? `Test texts: ${changed(shared.test, alone.test)}`
      : 'Test texts: none were held out; those for validation may have chosen the learning rate',
  ];
}

function changed(before: TextScores, after: TextScores): string {
  return `${formatted(before)} before, ${formatted(after)} now`;
}

function formatted({ loss, accuracy }: TextScores): string {
  return `loss ${loss.toFixed(4)} (perplexity ${Math.exp(loss).toFixed(3)}, next token ${formatPercent(accuracy)})`;
}
