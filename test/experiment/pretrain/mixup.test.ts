/** The shares of mixup are those of a Beta distribution, for every alpha that a file may name. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mixupLambda } from '../../../src/experiment/pretrain/mixup.js';
import { Random } from '../../../src/shared/random.js';

test('without mixup nothing is drawn', () => {
  assert.equal(mixupLambda(0, Random.of(0)), 1);
});

// Mean of max(x, 1 - x) of Beta(a, a): 1/2 + 1 / (2 a 4^a B(a, a) / 2), by hand 1/2 + C(2a, a) / 4^a / 2 for whole a.
for (const [alpha, mean] of [
  [1, 0.75],
  [4, 0.5 + 70 / 256 / 2],
  [5, 0.5 + 252 / 1024 / 2],
  [16, 0.5 + 601080390 / 4 ** 16 / 2],
] as const) {
  test(`the larger share of Beta(${alpha}, ${alpha}) is ${mean.toFixed(3)} on average`, () => {
    const shares = Array.from({ length: 4000 }, (_, step) => mixupLambda(alpha, Random.of(3, 'mixup', step)));
    assert.ok(shares.every((share) => share >= 0.5 && share <= 1));
    // The deviation of a share is below 0.15: of 4000 they have the mean to 4 x 0.0024.
    const average = shares.reduce((sum, share) => sum + share, 0) / shares.length;
    assert.ok(Math.abs(average - mean) < 0.0095, `${average}`);
  });
}

test('the greatest and smallest alpha are drawn at once: halves, and nearly whole images', () => {
  for (const [alpha, least, most] of [
    [1e6, 0.5, 0.51],
    [1e-6, 0.99, 1],
    [1e-12, 0.99, 1],
  ] as const) {
    for (let step = 0; step < 50; step++) {
      const share = mixupLambda(alpha, Random.of(1, 'mixup', step));
      assert.ok(share >= least && share <= most, `alpha ${alpha}: ${share}`);
    }
  }
});
