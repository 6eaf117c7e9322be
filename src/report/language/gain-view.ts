/** What single stitches of language models have gained by training further alone. */
import type { StitchResult, TextScores, TrialResult } from '../../run-folder/result.js';
import type { TrialRecord } from '../../run-folder/trial-record.js';
import { formatCost } from '../../shared/costs/format-cost.js';
import { datasetLabel, learningRateLabel, methodLabel, pathLabel } from '../curves/labels.js';
import type { Row, Table } from '../render/table.js';

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
    const { path, id } = result.stitches[0]!;
    const cells = {
      dataset: datasetLabel(result.dataset),
      method: methodLabel(result.method),
      seed: result.seed,
      stitch: id,
      path: pathLabel(path),
      epochs: result.epochs,
      rate: learningRateLabel(result.learningRate),
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
      { key: 'dataset', label: 'Data set', kind: 'text', grouping: true },
      { key: 'method', label: 'Method', kind: 'text', grouping: true },
      { key: 'seed', label: 'Seed', kind: 'number', precision: 0 },
      { key: 'stitch', label: 'Stitch', kind: 'number', precision: 0 },
      { key: 'path', label: 'Blocks', kind: 'text' },
      { key: 'epochs', label: 'Epochs', kind: 'number', precision: 0 },
      { key: 'rate', label: 'Rate', kind: 'text' },
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
export function languageGainLines({ stitches, finetunedLanguage, epochs, learningRate }: TrialResult): string[] {
  const { shared, alone } = finetunedLanguage!;
  const { id, path, params } = stitches[0] as StitchResult;
  const trained = `${epochs} epoch${epochs === 1 ? '' : 's'} alone at base rate ${learningRateLabel(learningRate)}`;
  return [
    `Stitch ${id}, ${pathLabel(path)}: ${formatCost('params', params)}, after ${trained}`,
    `Validation texts: ${changed(shared.validation, alone.validation)}: ${adviceOf(shared.validation, alone.validation)}`,
    shared.test && alone.test
      ? `Test texts: ${changed(shared.test, alone.test)}`
      : 'Test texts: none were held out; those for validation may have chosen the learning rate',
  ];
}

function changed(before: TextScores, after: TextScores): string {
  return `${formatted(before)} after shared training, ${formatted(after)} now`;
}

function formatted({ loss, accuracy }: TextScores): string {
  return `loss ${loss.toFixed(4)} (perplexity ${Math.exp(loss).toFixed(3)}, next token ${accuracy.toFixed(2)} %)`;
}

function adviceOf(before: TextScores, after: TextScores): string {
  if (after.loss === before.loss) return 'they favour neither';
  return after.loss < before.loss ? 'they favour the new one' : 'they favour the run as it is';
}
