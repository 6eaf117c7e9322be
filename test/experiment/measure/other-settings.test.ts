/** A machine that was measured is not measured with other settings under the same name. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { describeRuntime } from '../../../src/bench/latency/exported-file.js';
import { refuseOtherSettings } from '../../../src/experiment/measure/other-settings.js';
import { settingsOf } from '../../../src/run-folder/measured/measured-settings.js';
import { measuringCommand } from '../../../src/run-folder/measured/measuring-command.js';
import { machine, measuredRun, name } from '../../run-folder/measured/measured-fixture.js';

const processor = 'AMD EPYC';
const here = { processor, again: false };
const request = { machine: 'box', batches: [1, 8], rounds: 5, threads: 1 };
const box = {
  ...machine('box'),
  processor,
  runtime: describeRuntime(request),
  trials: machine('box').trials.map((trial) => ({ ...trial, rounds: 5 })),
};
const run = measuredRun(machine('phone'), box);
const file = path.join('runs', 'beetles', 'measurements', 'box.json');

function refused(changed: object, differences: string, more = '') {
  const command = `esta measure runs/beetles --trial ${name} ${more}--machine box --threads 1`;
  const message = `box has been measured by esta measure (${box.runtime}), and this measurement with other settings would replace that: ${differences}`;
  const hint = `Give --machine another name, or remove ${file}. With the settings of before:\nNext: ${command}`;
  assert.throws(() => refuseOtherSettings(run, { ...request, ...changed }, here), {
    ...{ name: 'RequestError', message, hint },
  });
}

test('other threads, device or batches, and fewer rounds, are named, and how to measure as before', () => {
  refused({ threads: 2 }, 'threads 1 before, 2 now');
  refused({ threads: undefined, device: 'cuda', all: true }, 'device cpu before, cuda now', '--all ');
  refused({ batches: [1], rounds: 1 }, 'batches 1 and 8 before, 1 now; rounds 5 before, 1 now');
});

test('once more with fewer rounds: the command with the settings of before measures once more, too', () => {
  assert.throws(() => refuseOtherSettings(run, { ...request, rounds: 1 }, { ...here, again: true }), {
    hint: /Next: esta measure .* --again --machine box --threads 1$/,
  });
});

test('the same settings, more rounds or batches, another name, and what was trained anew are measured', () => {
  const measures = (changed: object, of = run) => refuseOtherSettings(of, { ...request, ...changed }, here);
  measures({});
  measures({ all: true });
  measures({ rounds: 20 });
  measures({ batches: [1, 8, 16] });
  measures({ machine: 'box-2-threads', threads: 2 });
  measures({ threads: 2 }, { ...run, result: { ...run.result, seed: 1 } });
  const newer = { ...box, runtime: box.runtime.replace(/^onnxruntime \S+,/, 'onnxruntime 9.0.0,') };
  measures({}, measuredRun(newer));
});

test('settings hold for all trials of a file, batches and rounds for one of them', () => {
  const trials = box.trials.map((trial) => ({ ...trial, trial: 'beetles-esta-seed1' }));
  const other = measuredRun({ ...box, trials });
  refuseOtherSettings(other, { ...request, batches: [1], rounds: 1 }, here);
  assert.throws(() => refuseOtherSettings(other, { ...request, threads: 2 }, here), /threads 1 before, 2 now$/);
});

test('a table from elsewhere, or of another processor, is not replaced', () => {
  const ways = (name: string) => `Give --machine another name, or remove ${file.replace('box', name)}.`;
  assert.throws(() => refuseOtherSettings(run, { ...request, machine: 'phone' }, here), {
    message: `phone has a table from elsewhere (${machine('phone').runtime}), and this measurement would replace that`,
    hint: ways('phone'),
  });
  assert.throws(() => refuseOtherSettings(run, request, { ...here, processor: 'Cortex' }), {
    message: /\) on AMD EPYC, and this measurement, on Cortex, would replace that$/,
    hint: ways('box'),
  });
});

test('the command that measures what is missing repeats the settings, as far as they are no defaults', () => {
  const command = (table: typeof box) => measuringCommand(measuredRun(table), table, '--all');
  const start = `esta measure runs/beetles --trial ${name} --all --machine box`;
  assert.equal(command(box), `${start} --threads 1`);
  assert.equal(command({ ...box, runtime: describeRuntime({ device: 'cuda' }) }), `${start} --device cuda`);
  const [trial] = box.trials;
  const stitches = trial!.stitches.map((stitch) => ({ ...stitch, latencies: stitch.latencies.slice(0, 1) }));
  const quick = { ...box, trials: [{ ...trial!, rounds: 1, stitches }] };
  assert.equal(command(quick), `${start} --threads 1 --batch 1 --rounds 1`);
});

test('settings are read as a runtime is described, of any version', () => {
  for (const [surroundings, settings] of [
    [{ threads: 1 }, { device: 'cpu', threads: 1 }],
    [{ threads: 12 }, { device: 'cpu', threads: 12 }],
    [{ device: 'cuda' }, { device: 'cuda' }],
  ] as const) {
    assert.deepEqual(settingsOf({ runtime: describeRuntime(surroundings), processor }), settings);
  }
  assert.equal(settingsOf({ runtime: 'onnxruntime of unknown version, cpu, 2 threads', processor })!.threads, 2);
  assert.equal(settingsOf({ runtime: describeRuntime({}) }), undefined, 'a table from elsewhere');
});
