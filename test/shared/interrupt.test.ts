/** What Ctrl-C is answered with: that something is saved is said only while that is true. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { onSavingSteps, savingSteps, stoppingAnswer } from '../../src/shared/interrupt.js';

test('saving is announced while steps are under way, once where several trainings are, and ends with the last', async () => {
  assert.match(stoppingAnswer(true), /^\nStopping: saving after this step\. Ctrl-C once more/);
  assert.match(stoppingAnswer(false), /^\nStopping\. Ctrl-C once more/);
  const told: boolean[] = [];
  onSavingSteps((saves) => void told.push(saves));
  const inner = async () => {
    await savingSteps(async () => assert.deepEqual(told, [true]));
    assert.deepEqual(told, [true]);
    return 5;
  };
  assert.equal(await savingSteps(inner), 5);
  assert.deepEqual(told, [true, false]);
  const failure = new Error('diverged');
  await assert.rejects(
    savingSteps(() => Promise.reject(failure)),
    failure,
  );
  assert.deepEqual(told, [true, false, true, false]);
});
