/** What kills leave behind is swept; what is still needed stays. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { sweepFinished, sweepRun, sweepTrial } from '../../src/run-folder/leftovers.js';

test('half-written files and checkpoints that have done their work are swept', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'esta-leftovers-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const kept = ['checkpoint-stitched-grid-0.2.safetensors', 'lock.1', 'lock.ab.tmp', 'metrics.jsonl'];
  const swept = ['checkpoint-stitched-grid-0.1.safetensors', 'status.json.0a1b2c3d.tmp'];
  for (const name of [...kept, ...swept]) writeFileSync(path.join(folder, name), '');
  // A claim that was killed; a younger one may belong to a process that is claiming now.
  writeFileSync(path.join(folder, 'lock.cd.tmp'), '');
  utimesSync(path.join(folder, 'lock.cd.tmp'), 1, 1);
  await sweepTrial(folder, (run) => run === 'stitched-grid-0.1');
  assert.deepEqual(readdirSync(folder).sort(), kept);
  rmSync(path.join(folder, 'lock.1'));
  await sweepFinished(folder);
  assert.deepEqual(readdirSync(folder).sort(), ['lock.ab.tmp', 'metrics.jsonl']);

  // In the run folder itself another process may be writing now.
  const old = path.join(folder, 'environment.json.0a1b2c3d.tmp');
  writeFileSync(old, '');
  utimesSync(old, 1, 1);
  writeFileSync(path.join(folder, 'experiment.yaml.0a1b2c3d.tmp'), '');
  await sweepRun(folder);
  assert.deepEqual(readdirSync(folder).sort(), ['experiment.yaml.0a1b2c3d.tmp', 'lock.ab.tmp', 'metrics.jsonl']);
});

test('what may still be written stays: for a minute in the run folder, for an hour where a lock is claimed', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'esta-leftovers-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const minutesAgo = (name: string, minutes: number) => {
    writeFileSync(path.join(folder, name), '');
    const at = Date.now() / 1000 - 60 * minutes;
    utimesSync(path.join(folder, name), at, at);
  };
  minutesAgo('new.tmp', 0.7);
  minutesAgo('old.tmp', 1.3);
  await sweepRun(folder);
  assert.deepEqual(readdirSync(folder), ['new.tmp']);
  minutesAgo('lock.new.tmp', 50);
  minutesAgo('lock.old.tmp', 70);
  await sweepTrial(folder, () => false);
  assert.deepEqual(readdirSync(folder), ['lock.new.tmp'], 'in the folder of a trial nobody else writes other files');
});
