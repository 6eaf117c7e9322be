import assert from 'node:assert/strict';
import { test } from 'node:test';
import { learningRateAt } from '../../src/training/schedule.js';

test('the learning rate warms up linearly and falls along half a cosine', () => {
  // Two steps of warm-up; then (1 + cos(pi k / 4)) / 2 of the peak 8.
  const rates = Array.from({ length: 7 }, (_, step) =>
    learningRateAt(step, { steps: 6, warmupSteps: 2, peakLearningRate: 8 }),
  );
  const expected = [4, 8, 8, 4 + 2 * Math.SQRT2, 4, 4 - 2 * Math.SQRT2, 0];
  for (const [step, rate] of rates.entries())
    assert.ok(Math.abs(rate - expected[step]!) < 1e-12, `step ${step}: ${rate}`);
  assert.equal(
    learningRateAt(0, { steps: 6, warmupSteps: 0, peakLearningRate: 8 }),
    8,
    'without a warm-up it begins at the peak',
  );
  assert.equal(
    learningRateAt(3, { steps: 4, warmupSteps: 4, peakLearningRate: 8 }),
    8,
    'a training can end with its warm-up',
  );
});

test('a line to zero after the warm-up, as get_linear_schedule_with_warmup of transformers', () => {
  const schedule = { steps: 10, warmupSteps: 2, peakLearningRate: 8, decay: 'linear' } as const;
  const rates = Array.from({ length: 10 }, (_, step) => learningRateAt(step, schedule));
  assert.deepEqual(rates, [4, 8, 8, 7, 6, 5, 4, 3, 2, 1]);
});
