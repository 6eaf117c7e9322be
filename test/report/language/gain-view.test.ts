import assert from 'node:assert/strict';
import { test } from 'node:test';
import { languageGainLines, languageGainView } from '../../../src/report/language/gain-view.js';
import type { SplitScores, TrialResult } from '../../../src/run-folder/result.js';

function resultOf(shared: SplitScores, alone: SplitScores): TrialResult {
  const path = [
    { anchor: '7B', blocks: [0, 6] as const },
    { anchor: '13B', blocks: [8, 40] as const },
  ];
  const stitch = { id: 18, path, flops: 30e6, params: 11e9, trainable: 16000, ...alone.validation };
  const identity = { version: 1, dataset: 'alpaca', method: 'esta', variant: 'stitch 18 alone', seed: 0 } as const;
  const training = { learningRate: 0.012, trainSeconds: 1, epochs: 5, status: 'finished' } as const;
  return { ...identity, ...training, stitches: [stitch], finetunedLanguage: { from: 'x', shared, alone } };
}

// ln 2 and ln 4: perplexities of 2 and 4.
const [good, bad] = [
  { accuracy: 60, loss: Math.LN2 },
  { accuracy: 50, loss: 2 * Math.LN2 },
];

test('losses and perplexities before and after; the validation loss says what to take', () => {
  assert.deepEqual(languageGainLines(resultOf({ validation: bad, test: bad }, { validation: good, test: good })), [
    'Stitch 18, 7B 0–5 → 13B 8–39: 11 B params, after 5 epochs alone at base rate 1.2e-2',
    'Validation texts: loss 1.3863 (perplexity 4.000, next token 50.00 %) before, loss 0.6931 (perplexity 2.000, next token 60.00 %) now: they favour the new one',
    'Test texts: loss 1.3863 (perplexity 4.000, next token 50.00 %) before, loss 0.6931 (perplexity 2.000, next token 60.00 %) now',
  ]);
  const [, worse, none] = languageGainLines(resultOf({ validation: good }, { validation: bad }));
  assert.match(worse!, /they favour the run as it is$/);
  assert.match(none!, /^Test texts: none were held out/);
  assert.match(languageGainLines(resultOf({ validation: good }, { validation: good }))[1]!, /they favour neither$/);
});

test('a report has a row for each; columns of test texts only where there are some', () => {
  const result = resultOf({ validation: bad, test: bad }, { validation: good, test: good });
  const { finetunedLanguage: _, ...shared } = result;
  const table = languageGainView([{ result: shared }, { result }, { result: undefined }])!;
  assert.equal(table.rows.length, 1);
  const { method, stitch, before, after, perplexityBefore, testPerplexity } = table.rows[0]!.cells;
  assert.deepEqual(
    { method, stitch, before, after },
    { method: 'ESTA', stitch: 18, before: bad.loss, after: good.loss },
  );
  assert.ok(Math.abs((perplexityBefore as number) - 4) < 1e-12 && Math.abs((testPerplexity as number) - 2) < 1e-12);
  const untested = languageGainView([{ result: resultOf({ validation: bad }, { validation: good }) }])!;
  assert.equal(table.columns.length - untested.columns.length, 4);
  assert.equal(languageGainView([{ result: shared }]), undefined);
});
