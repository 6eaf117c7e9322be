import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gainLines, gainView } from '../../../src/report/views/gain-view.js';
import type { FinetunedResult, TrialResult } from '../../../src/run-folder/result.js';

function resultOf(finetuned: FinetunedResult): TrialResult {
  const path = [
    { anchor: 'Ti', blocks: [0, 6] as const },
    { anchor: 'S', blocks: [6, 12] as const },
  ];
  const { test: accuracy } = finetuned.alone;
  const stitch = { id: 18, path, flops: 30e6, params: 4e5, trainable: 16000, accuracy };
  const identity = { version: 1, dataset: 'beetles', method: 'esta', variant: 'stitch 18 alone', seed: 0 } as const;
  const training = { learningRate: 0.012, trainSeconds: 1, epochs: 5 };
  return { ...identity, ...training, status: 'finished', stitches: [stitch], finetuned };
}

test('a gain is counted in images of the test split; the validation images say what to take', () => {
  const gained = { from: 'x', shared: { validation: 50, test: 80 }, alone: { validation: 60, test: 82.5 } };
  assert.deepEqual(gainLines(resultOf(gained), 40), [
    'Stitch 18, Ti 0–5 → S 6–11: 30 MFLOPs, 400 K parameters, 82.50 % on the test images, after 5 epochs alone at base rate 1.2e-2',
    'Test images: 80.00 % before, 82.50 % now: 1 of 40 images gained',
    'Validation images: 50.00 % before, 60.00 % now: they favour the new one',
  ]);
  const linesOf = (shared: FinetunedResult['shared'], alone: FinetunedResult['alone']) =>
    gainLines(resultOf({ from: 'x', shared, alone }), 40).slice(1);
  const [lost, worse] = linesOf({ validation: 60, test: 80 }, { validation: 50, test: 75 });
  assert.match(lost!, /2 of 40 images lost$/);
  assert.match(worse!, /they favour the run as it is$/);
  const [same, none] = linesOf({ test: 80 }, { test: 80 });
  assert.match(same!, /now: as before$/);
  assert.match(none!, /none were kept from training/);
  assert.match(linesOf({ validation: 5, test: 1 }, { validation: 5, test: 1 })[1]!, /they favour neither$/);
});

test('a report has a row for each stitch that was trained alone, and no table where there is none', () => {
  const result = resultOf({ from: 'x', shared: { test: 80 }, alone: { test: 82.5 } });
  const { finetuned: _, ...shared } = result;
  const table = gainView([{ result: shared }, { result }, { result: undefined }])!;
  const [row, ...others] = table.rows;
  assert.equal(others.length, 0);
  const { method, stitch, epochs, rate, before, after, gain, validation } = row!.cells;
  assert.deepEqual({ method, stitch, epochs, rate }, { method: 'ESTA', stitch: 18, epochs: 5, rate: '1.2e-2' });
  assert.deepEqual(
    { before, after, gain, validation },
    { before: 80, after: 82.5, gain: 2.5, validation: { mark: 'none' } },
  );
  assert.equal(gainView([{ result: shared }]), undefined);
});
