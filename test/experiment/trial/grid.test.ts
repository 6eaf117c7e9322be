/** The choice of a learning rate, without any training. */
import assert from 'node:assert/strict';
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  chooseLearningRate,
  rateFolder,
  readGrid,
  type Tried,
  type Waiting,
} from '../../../src/experiment/trial/grid.js';
import { claimFolder } from '../../../src/run-folder/lock.js';
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

test('a rate that another process tries is left until it lets go; the others are tried first', async (t) => {
  const folder = await temporaryFolder(t);
  const lock = await claimFolder(rateFolder(folder, 'stitched', 0.1));
  assert.ok(!('heldBy' in lock));
  const [tried, held]: [number[], number[]] = [[], []];
  let waits = 0;
  const tryOut = async ({ base }: { readonly base: number }): Promise<Tried> => {
    tried.push(base);
    return { accuracy: base === 0.1 ? 90 : 50 };
  };
  const waiting: Waiting = {
    onHeld: (base, holder) => {
      held.push(base);
      assert.equal(holder!.pid, process.pid);
    },
    wait: async () => {
      waits++;
      await lock.release(false);
    },
  };
  assert.equal((await chooseLearningRate(folder, 'stitched', rates, tryOut, waiting)).base, 0.1);
  assert.deepEqual([tried, held, waits], [[0.2, 0.3, 0.1], [0.1], 1]);
  // A line that a kill cut short is dropped; nobody is waited for.
  await appendFile(path.join(folder, 'grid.jsonl'), '{"stage":"sti');
  const never: Waiting = { wait: () => assert.fail('nothing is held') };
  assert.equal((await chooseLearningRate(folder, 'stitched', rates, tryOut, never)).base, 0.1);
  assert.deepEqual(
    (await readGrid(folder)).map(({ base_rate }) => base_rate),
    [0.1, 0.2, 0.3],
  );
  assert.equal(tried.length, 3);
});
