/** What is told of each item: how far it is, who is at it, and what Slurm says of its job. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { clusterStatus, formatStatus } from '../../../src/experiment/slurm/status.js';
import { noteSubmitted } from '../../../src/experiment/slurm/submitted.js';
import { describeHolder } from '../../../src/run-folder/lock.js';
import { thisProcess } from '../../../src/shared/processes/process-mark.js';
import { launched, withPrograms } from './programs.js';

const trial = 'species-esta-seed0';
const ids = ['stitched-grid-0.1', 'stitched-grid-0.2', 'stitched', 'evaluation'].map((name) => `${trial}/${name}`);

test('holder, error, job and its state stand there where they are known', async (t) => {
  const folder = withPrograms(t, { squeue: 'echo "7_0|RUNNING|None"', sacct: 'exit 1' });
  const runFolder = path.join(folder, 'run');
  const write = (name: string, content: object) => {
    const file = path.join(runFolder, 'trials', trial, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, `${JSON.stringify(content)}\n`);
  };
  const holder = { ...thisProcess(), since: '2026-01-01T00:00:00Z', token: 'x' };
  write('stitched-grid-0.1/lock.1', holder);
  const identity = { version: 1, dataset: 'species', method: 'esta', seed: 0, learningRate: 0 };
  write('result.json', { ...identity, stitches: [], trainSeconds: 0, epochs: 0, status: 'failed', error: 'disk full' });
  await noteSubmitted(runFolder, { job: '7', tasks: [[ids[0]!], [ids[2]!]], isArray: true });
  const status = await clusterStatus(launched(), runFolder);
  assert.deepEqual(status, {
    run: runFolder,
    items: [
      { id: ids[0], state: 'running', holder: describeHolder(holder), job: '7_0', job_state: 'RUNNING' },
      { id: ids[1], state: 'ready' },
      { id: ids[2], state: 'waiting', job: '7_1' },
      { id: ids[3], state: 'failed', error: 'disk full' },
    ],
  });
});

test('jobs that the queue has forgotten are looked up in the accounts; without jobs nothing is', async (t) => {
  const folder = withPrograms(t, { squeue: 'true', sacct: 'touch $folder/asked; echo "7_0|TIMEOUT"' });
  const runFolder = path.join(folder, 'run');
  const { items } = await clusterStatus(launched(), runFolder);
  assert.ok(items.every((item) => !('job' in item || 'job_state' in item)));
  assert.equal(existsSync(path.join(folder, 'asked')), false);
  await noteSubmitted(runFolder, { job: '7', tasks: [[ids[0]!]], isArray: true });
  assert.equal((await clusterStatus(launched(), runFolder)).items[0]!.job_state, 'TIMEOUT');
});

test('the table for people', () => {
  const items = [
    { id: 'a', state: 'finished', job: '7_0', job_state: 'COMPLETED' },
    { id: 'b', state: 'failed', error: 'disk full', job: '7_1' },
    { id: 'c', state: 'running', holder: 'process 5' },
  ] as const;
  const lines = formatStatus({ run: 'x', items }).split('\n');
  assert.equal(lines[0], 'Items: 1 of 3 finished');
  const cells = lines.flatMap((line) => (/^(Item|[abc]) /.test(line) ? [line.trim().split(/ {2,}/)] : []));
  assert.deepEqual(cells, [
    ['Item', 'State', 'Job', 'Slurm'],
    ['a', 'finished', '7_0', 'COMPLETED'],
    ['b', 'disk full', '7_1', '–'],
    ['c', 'running: process 5', '–', '–'],
  ]);
});
