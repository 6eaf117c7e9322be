import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { openJournal } from '../../src/run-folder/training-journal.js';

test('a stage that goes on drops what it wrote about epochs that are trained again, and nothing else', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'esta-journal-'));
  t.after(() => rm(folder, { recursive: true }));
  const write = async (stage: string, epochsDone: number, epochs: readonly number[]) => {
    const journal = await openJournal(folder, stage, epochsDone);
    for (const epoch of epochs) {
      const line = { stage, epoch, base_rate: 1e-3 };
      await journal.write({ ...line, step: 2 * epoch, loss: 1 / epoch, seconds: epoch }, { ...line, draws: [2, 0] });
    }
  };
  await write('grid', 0, [1, 2]);
  await write('stitched', 0, [1, 2, 3]); // killed; the last checkpoint was made after the first epoch
  await appendFile(path.join(folder, 'metrics.jsonl'), '{"stage":"stitched","epo'); // the kill cut a line
  await write('stitched', 1, [2, 3]);
  for (const name of ['metrics.jsonl', 'importance.jsonl']) {
    const lines = (await readFile(path.join(folder, name), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    assert.deepEqual(
      lines.map(({ stage, epoch }) => `${stage} ${epoch}`),
      ['grid 1', 'grid 2', 'stitched 1', 'stitched 2', 'stitched 3'],
    );
  }
});
