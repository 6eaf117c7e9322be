/** The choice of a learning rate, without any training. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { chooseLearningRate, readGrid, type Tried } from '../../../src/experiment/trial/grid.js';
import { TrialError } from '../../../src/shared/errors.js';

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'esta-grid-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const rates = [0.1, 0.2, 0.3].map((base) => ({ base, peak: base / 4 }));
const nan = 'the loss is NaN at step 1 of 3';

test('the best rate is chosen, the first of equal ones; what was tried is not tried again', async (t) => {
  const folder = await temporaryFolder(t);
  const tried: number[] = [];
  const tryOut = async ({ base }: { readonly base: number }): Promise<Tried> => {
    tried.push(base);
    return { accuracy: base === 0.1 ? 10 : 50, seconds: 2 };
  };
  assert.equal((await chooseLearningRate(folder, 'stitched', rates, tryOut)).base, 0.2);
  assert.equal((await chooseLearningRate(folder, 'stitched', rates, tryOut)).base, 0.2);
  assert.deepEqual(tried, [0.1, 0.2, 0.3]);
});

test('a rate that diverged is worse than one that learned nothing, and is noted with its reason', async (t) => {
  const folder = await temporaryFolder(t);
  const chosen = await chooseLearningRate(folder, 'stitched', rates, async ({ base }) =>
    base === 0.3 ? { accuracy: 0, seconds: 1 } : { accuracy: 0, diverged: nan },
  );
  assert.equal(chosen.base, 0.3);
  assert.deepEqual(
    (await readGrid(folder)).map(({ base_rate, diverged }) => [base_rate, diverged]),
    [
      [0.1, nan],
      [0.2, nan],
      [0.3, undefined],
    ],
  );
  const all = await temporaryFolder(t);
  await assert.rejects(
    chooseLearningRate(all, 'stitched', rates, async () => ({ accuracy: 0, diverged: nan })),
    (error) => {
      assert.ok(error instanceof TrialError);
      assert.match(
        error.message,
        /^all base learning rates of the grid diverged:\n {2}0\.1: the loss is NaN at step 1/,
      );
      return true;
    },
  );
});
