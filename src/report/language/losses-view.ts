/** How well the deployed stitches of language models predict the validation texts, by their parameters (Figure G). */
import { datasetLabel, halfOpenPath } from '../curves/labels.js';
import type { NamedTrial } from '../curves/method-names.js';
import type { Row, Table } from '../render/table.js';

/** Only where test texts were held out. */
const testColumns: Table['columns'] = [
  { key: 'testLoss', label: 'Test loss', kind: 'number', precision: 4 },
  { key: 'testPerplexity', label: 'Perplexity', kind: 'number', precision: 3 },
  { key: 'testAccuracy', label: 'Next token (%)', kind: 'number' },
];

/** Undefined where no trial has language models. */
export function lossesView(trials: readonly NamedTrial[]): Table | undefined {
  const rows = trials.flatMap((trial): Row[] => {
    const { result, method } = trial;
    if (!result) return [];
    const stitches = result.stitches.toSorted((a, b) => a.params - b.params);
    return stitches.flatMap(({ id, path, params, loss, accuracy, test }, index): Row[] => {
      if (loss === undefined) return [];
      const cells = {
        dataset: datasetLabel(result.dataset),
        method,
        seed: result.seed,
        ...{ id, blocks: halfOpenPath(path), params: params / 1e6, loss, perplexity: Math.exp(loss), accuracy },
        ...(test && { testLoss: test.loss, testPerplexity: Math.exp(test.loss), testAccuracy: test.accuracy }),
      };
      return [{ startsGroup: index === 0, cells }];
    });
  });
  if (rows.length === 0) return undefined;
  const hasTest = rows.some(({ cells }) => cells['testLoss'] !== undefined);
  return {
    name: 'losses',
    title: 'Deployed language models on the validation texts (as Figure G)',
    columns: [
      { key: 'dataset', label: 'Data set', kind: 'text', grouping: true },
      { key: 'method', label: 'Method', kind: 'text', grouping: true },
      { key: 'seed', label: 'Seed', kind: 'number', precision: 0 },
      { key: 'id', label: 'Stitch', kind: 'number', precision: 0 },
      { key: 'blocks', label: 'Blocks', kind: 'text' },
      { key: 'params', label: 'Params (M)', kind: 'number', precision: 3 },
      { key: 'loss', label: 'Loss', kind: 'number', precision: 4 },
      { key: 'perplexity', label: 'Perplexity', kind: 'number', precision: 3 },
      { key: 'accuracy', label: 'Next token (%)', kind: 'number' },
      ...(hasTest ? testColumns : []),
    ],
    rows,
    notes: [
      'loss: cross-entropy in nats per learned token, perplexity its exponential; next token: tokens whose most probable prediction is right',
      ...(hasTest ? ['test: on texts that nothing was chosen by'] : []),
      'accuracies of language models in the other tables are those of the next token',
    ],
  };
}
