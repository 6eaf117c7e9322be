import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { wordsOf } from '../../src/shared/next-step.js';
import { esta } from '../command-line.js';
import { miniature } from '../experiment/miniature.js';

test('a table of another machine serves budgets of milliseconds', async (t) => {
  const mini = await miniature(t);
  const [result] = await mini.run(mini.experiment({ training: { epochs: 1 } }), 'run');
  const [run, form] = [path.join(mini.folder, 'run'), path.join(mini.folder, 'form.csv')];
  const written = await esta(['measure', run, '--form', form]);
  assert.deepEqual([written.status, written.stdout], [0, `Written: ${form}\n`]);
  const [header] = (await readFile(form, 'utf8')).split('\n');
  assert.match(header!, /^trial,fingerprint,stitch,flops,batch,median_ms,/);

  const whole = await esta(['measure', run, '--form', form, '--all']);
  assert.equal(whole.status, 0, whole.stderr);
  const rows = (await readFile(form, 'utf8')).trim().split('\n').slice(1);
  const ids = rows.map((row) => Number(row.split(',')[2]));
  // All of the space, each once, and those that are deployed with the FLOPs that the run reports.
  assert.deepEqual(ids, [...ids.keys()]);
  assert.ok(ids.length > result!.stitches.length);
  for (const { id, flops } of result!.stitches) assert.equal(Number(rows[id]!.split(',')[3]), flops);

  const missing = await esta(['export', run, '--budget', '5ms', '--out', path.join(mini.folder, 'a.onnx')]);
  assert.equal(missing.status, 2);
  assert.match(missing.stderr, /nobody has measured.*\n.*\n.*Next: esta measure /);

  const measured = await esta(['measure', run, '--threads', '1', '--rounds', '1', '--batch', '1', '--machine', 'here']);
  assert.equal(measured.status, 0, measured.stderr);
  assert.match(measured.stdout, /^What stitches take, measured\n/);
  assert.match(measured.stdout, /here: onnxruntime .*, cpu, 1 thread; FLOPs /);
  const dearest = result!.stitches.reduce((one, other) => (other.flops > one.flops ? other : one));
  const all = await esta(['export', run, '--budget', '60s', '--out', path.join(mini.folder, 'b.onnx'), '--json']);
  assert.deepEqual(JSON.parse(all.stdout).stitch, dearest);

  const otherwise = await esta(['measure', run, '--threads', '2', '--machine', 'here']);
  assert.equal(otherwise.status, 2);
  assert.match(otherwise.stderr, /here has been measured by .*: threads 1 before, 2 now\n/);
  assert.match(otherwise.stderr, /\nNext: esta measure .* --machine here --threads 1 --batch 1 --rounds 1\n/);
  const nosuch = await esta(['report', run, '--machine', 'nosuch']);
  assert.deepEqual([nosuch.status, /Choose one of here, /.test(nosuch.stderr)], [2, true]);
  // What deploy asks for extends what was measured.
  const few = await esta(['deploy', run]);
  const next = /\nNext: esta (measure .* --all .*)\n/.exec(few.stderr)![1]!;
  const extended = await esta(wordsOf(next));
  assert.equal(extended.status, 0, extended.stderr);
  assert.match(extended.stdout, /here: onnxruntime .*, cpu, 1 thread; /);

  const recommended = await esta(['recommend', run, '--budget', '60s']);
  assert.equal(recommended.status, 0, recommended.stderr);
  assert.match(recommended.stdout, /^Stitch \d+.* of 60 s on here\.\n.*\n.*\n.*\nNext: esta export .* --stitch \d+/);
  const reported = await esta(['report', run, '--budget', '60s', '--budget', '1params']);
  assert.match(reported.stdout, /^What the budget buys\n.*60 s on here.*costs 1 params or less: the nearest is/s);

  const wrong = await esta(['measure', run, '--import', form, '--machine', 'phone']);
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /form\.csv, row 1 is not valid:\n.*median_ms/);
});
