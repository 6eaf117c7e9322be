import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { openDeployed } from '../../../src/experiment/deployed/deployed-network.js';
import { onnxModelOf } from '../../../src/experiment/deployed/export-network.js';
import { findTrial } from '../../../src/experiment/deployed/found-trial.js';
import { defaultMachine, measureTrial } from '../../../src/experiment/measure/measure.js';
import { parseBudget } from '../../../src/shared/costs/budget.js';
import { silentProgress } from '../../../src/shared/progress.js';
import { miniature, readLines, watchedProgress } from '../miniature.js';

test('deployed stitches are measured in rounds; a measurement that was stopped goes on', async (t) => {
  const mini = await miniature(t);
  const [result] = await mini.run(mini.experiment({ training: { epochs: 1 } }), 'run');
  const folder = path.join(mini.folder, 'run');
  const run = await findTrial(folder);
  const ids = result!.stitches.map(({ id }) => id);
  const request = { machine: 'here', batches: [1, 2], rounds: 2, threads: 1 };
  const notes = path.join(folder, 'measurements', 'here.partial', 'notes.jsonl');

  const stop = new AbortController();
  const stopped = ids.length + 3;
  const progress = watchedProgress((_, done) => {
    if (done === stopped) stop.abort();
  });
  await assert.rejects(measureTrial({ progress, signal: stop.signal }, run, request), {
    name: 'Interrupted',
    message: /what was measured is saved/,
  });
  const before = await readLines(notes);
  assert.equal(before.length, 1 + stopped);

  // Times that no clock of this test gives, in place of those of the first visit.
  const first = before.find((note) => note['times'])!;
  const marked = before.map((note) => (note === first ? { ...note, times: new Array<number>(1000).fill(4321) } : note));
  await writeFile(notes, marked.map((note) => `${JSON.stringify(note)}\n`).join(''));

  const runtime = { progress: silentProgress, signal: new AbortController().signal };
  const measured = await measureTrial(runtime, run, request);
  assert.deepEqual(await readdir(path.join(folder, 'measurements')), ['here.json']);
  const [trial] = measured.trials;
  assert.deepEqual(
    trial!.stitches.map(({ id, flops }) => [id, flops]),
    result!.stitches.map(({ id, flops }) => [id, flops]),
  );

  await t.test('with the numbers of both parts', () => {
    const { latencies } = trial!.stitches.find(({ id }) => id === first['id'])!;
    const { median_ms, runs } = latencies.find(({ batch }) => batch === first['batch'])!;
    assert.equal(median_ms, 4321);
    assert.ok(runs! > 1000);
    for (const { latencies, peak_memory_bytes: peak } of trial!.stitches) {
      assert.deepEqual(
        latencies.map(({ batch }) => batch),
        [1, 2],
      );
      for (const { median_ms, p90_ms } of latencies) assert.ok(0 < median_ms && median_ms <= p90_ms!);
      assert.ok(peak! > 100_000 && peak! < 1e9, `${peak} bytes`);
    }
  });

  await t.test('the size is that of the file that export writes', async () => {
    const network = await openDeployed(folder, { stitch: ids[0]! });
    assert.equal(trial!.stitches[0]!.file_bytes, onnxModelOf(network).model.length);
  });

  await t.test('a budget of milliseconds is served by it', async () => {
    const slowest = Math.max(...trial!.stitches.map(({ latencies }) => latencies[0]!.median_ms));
    const { result: all } = await openDeployed(folder, { budget: parseBudget(`${slowest}ms`) });
    assert.equal(all.flops, Math.max(...result!.stitches.map(({ flops }) => flops)));
  });

  await t.test('what is measured is not measured again, unless that is asked for or something is missing', async () => {
    const here = await findTrial(folder);
    const at = async (changed: object, again?: boolean) =>
      (await measureTrial(runtime, here, { ...request, rounds: 1, ...changed }, again)).measured_at;
    assert.equal(await at({}), measured.measured_at);
    const file = path.join(folder, 'measurements', 'here.json');
    assert.equal(JSON.parse(await readFile(file, 'utf8')).measured_at, measured.measured_at);
    await assert.rejects(at({ batches: [1, 3], rounds: 2 }, true), /batches 1 and 2 before, 1 and 3 now$/);
    await assert.rejects(at({ threads: 2 }), /threads 1 before, 2 now; rounds 2 before, 1 now$/);
    assert.equal(JSON.parse(await readFile(file, 'utf8')).measured_at, measured.measured_at);
    assert.notEqual(await at({ rounds: 3 }), measured.measured_at);
  });
});

test('a machine is called by its host, and by what differs from its whole processor', () => {
  assert.equal(defaultMachine({}, 'lab-7.local'), 'lab-7.local');
  assert.equal(defaultMachine({ device: 'webgpu' }, 'my laptop'), 'my-laptop-webgpu');
  assert.equal(defaultMachine({ threads: 1, device: 'cpu' }, '...'), 'machine-1-threads');
});
