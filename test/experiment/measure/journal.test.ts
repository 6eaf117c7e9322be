import assert from 'node:assert/strict';
import { appendFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { openMeasureJournal } from '../../../src/experiment/measure/journal.js';
import { exists } from '../../../src/shared/files.js';
import { temporaryFolder } from '../../data/official/temporary-folder.js';

const task = { trial: 't', fingerprint: 'f', runtime: 'r', batches: [1, 8], rounds: 2, ids: [3, 5] };

test('a measurement goes on with the notes of the same task, without a line that was cut', async (t) => {
  const folder = path.join(await temporaryFolder(t), 'm.partial');
  const first = await openMeasureJournal(folder, task);
  assert.deepEqual([first.peak(3), first.times(3, 1, 0)], [undefined, undefined]);
  await first.note({ id: 3, peak: 4096 });
  await first.note({ id: 3, batch: 8, round: 1, times: [1.5, 2] });
  assert.deepEqual([first.peak(3), first.times(3, 8, 1)], [4096, [1.5, 2]]);
  await appendFile(path.join(folder, 'notes.jsonl'), '{"id":5,"pea');

  const second = await openMeasureJournal(folder, { ...task });
  assert.deepEqual([second.peak(3), second.times(3, 8, 1)], [4096, [1.5, 2]]);
  assert.deepEqual(
    [second.peak(5), second.times(3, 1, 1), second.times(3, 8, 0), second.times(5, 8, 1)],
    [...Array(4)],
  );
  await second.note({ id: 5, peak: 1 });
  assert.equal((await openMeasureJournal(folder, task)).peak(5), 1);
});

test('the folder of another task is emptied', async (t) => {
  const folder = path.join(await temporaryFolder(t), 'm.partial');
  await (await openMeasureJournal(folder, task)).note({ id: 3, peak: 4096 });
  const model = path.join(folder, 'stitch-3.onnx');
  await writeFile(model, '');
  const other = await openMeasureJournal(folder, { ...task, rounds: 3 });
  assert.deepEqual([other.peak(3), await exists(model)], [undefined, false]);
  await other.note({ id: 3, peak: 1 });
  assert.equal((await openMeasureJournal(folder, { ...task, rounds: 3 })).peak(3), 1);
});
