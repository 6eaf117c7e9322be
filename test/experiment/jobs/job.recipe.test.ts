/** One process of `--jobs`: what comes of its orders, also where it cannot work, is stopped, or is killed. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { experimentSchema } from '../../../src/config/schema/experiment.js';
import { startJob } from '../../../src/experiment/jobs/job.js';
import { onSavingSteps } from '../../../src/shared/interrupt.js';
import { temporaryFolder } from '../../models/pretrained/fixtures.js';
import { writtenAnchors } from '../written-run.js';

function isWorker(pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('jobs/worker.js');
  } catch {
    return false; // it has just ended
  }
}

/** Children of this process that are workers. */
const workers = () =>
  readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8')
    .split(' ')
    .filter(Boolean)
    .filter(isWorker)
    .map(Number);

test('a process is opened or refused, runs, dies and stops', {
  skip: existsSync('/proc/self/task') ? false : 'needs /proc',
}, async (t) => {
  const folder = temporaryFolder(t);
  const experiment = (batch_size: number) =>
    experimentSchema.parse({
      name: 'job',
      anchors,
      data: { kind: 'species', classes: 2, train_images: 2, validation_images: 1, test_images: 1 },
      adaptation: { ranks: [2, 2] },
      training: { epochs: 1, batch_size, base_learning_rates: [0.1, 0.2] },
    });
  const anchors = await writtenAnchors(folder);
  const lines: string[] = [];
  const labels = new Set<string>();
  const listener = {
    line: (text: string) => void lines.push(text),
    progress: ({ label }: { readonly label: string }) => void labels.add(label),
  };
  const start = (batch: number) =>
    startJob(
      { threads: 1, cores: [0], gpu: '' },
      {
        ...{ experiment: experiment(batch), variants: [], runFolder: path.join(folder, `run-${batch}`), reuse: [] },
        ...{ cacheFolder: path.join(folder, 'cache'), engine: 'onnxruntime', device: 'cpu', command: 'esta run' },
      },
      listener,
    );
  await assert.rejects(start(64), {
    ...{ name: 'RequestError', message: /4 training images do not fill a batch/, hint: /^Nothing was trained/ },
  });
  const job = await start(4);
  const [pid, ...others] = workers();
  assert.deepEqual(others, [], 'the one that was refused has ended');
  const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  assert.ok(environment.includes('CUDA_VISIBLE_DEVICES='));
  assert.match(readFileSync(`/proc/${pid}/status`, 'utf8'), /^Cpus_allowed_list:\s*0$/m);
  const trial = 'species-esta-seed0';
  const [low, high] = [0.1, 0.2].map((rate) => `${trial}/stitched-grid-${rate}`);
  assert.deepEqual(await job.run(`${trial}/stitched`), { state: 'waiting', waitsFor: [low, high] });
  const saving: boolean[] = [];
  onSavingSteps((saves) => void saving.push(saves));
  assert.deepEqual(await job.run(low!), { state: 'finished' });
  assert.deepEqual(saving, [true, false], 'whoever answers Ctrl-C knows when the process saves');
  assert.ok(
    [...labels].some((label) => label.includes('grid of stitched at base rate 0.1')),
    [...labels].join(),
  );
  job.askToStop();
  assert.deepEqual(await job.run(high!), { state: 'stopped' });
  await job.end();
  assert.deepEqual(workers(), []);

  const killed = await start(4);
  process.kill(workers()[0]!, 'SIGKILL');
  assert.deepEqual(await killed.run(high!), { state: 'died', reason: 'SIGKILL' });
  await killed.end();
});
