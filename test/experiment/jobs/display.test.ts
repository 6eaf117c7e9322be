/** What several processes show together. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { createJobsDisplay } from '../../../src/experiment/jobs/display.js';

const position = (label: string, done: number) => ({ label, done, total: 10, fields: {} });

test('in a pipe: one plain line for all, now and then; failures at once', () => {
  const stream = new PassThrough();
  let clock = 0;
  const display = createJobsDisplay(stream, 2, { interval: 10, now: () => clock });
  display.trials(1, 4);
  display.at(0, position('a', 3));
  clock = 10_000;
  display.at(1, position('b', 5));
  display.line('c failed: no memory');
  display.at(0, position('a', 4));
  clock = 20_000;
  display.at(1, undefined);
  display.stop();
  assert.deepEqual(String(stream.read()).split('\n'), [
    '1/4 trials; a: 3/10; b: 5/10',
    'c failed: no memory',
    '1/4 trials; a: 4/10',
    '',
  ]);
});

test('in a terminal: a bar for all trials and one for each process', async () => {
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 100 });
  const display = createJobsDisplay(stream, 1);
  display.trials(2, 4);
  display.at(0, { ...position('a', 5), fields: { loss: '0.4' } });
  await setTimeout(250); // it draws ten times a second
  const shown = String(stream.read());
  display.stop();
  assert.match(shown, /trials .*50% 2\/4/);
  assert.match(shown, /a .*50% 5\/10, loss 0\.4/);
});

test('ten seconds of the clock lie between two plain lines', () => {
  const stream = new PassThrough();
  let clock = 5000;
  const display = createJobsDisplay(stream, 1, { now: () => clock });
  display.at(0, position('a', 1));
  clock += 9999;
  display.at(0, position('a', 2));
  clock += 1;
  display.at(0, position('a', 3));
  assert.equal(String(stream.read()), '; a: 3/10\n');
  createJobsDisplay(stream, 1).at(0, position('a', 4));
  assert.equal(stream.read(), null, 'by the clock of the system');
});

test('in a terminal: lines stand above the bars; a process that does nothing is idle', async (t) => {
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 100 });
  const display = createJobsDisplay(stream, 2);
  t.after(() => display.stop());
  display.trials(0, 1);
  display.at(0, position('a', 10));
  display.line('b failed');
  await setTimeout(250);
  const shown = String(stream.read());
  assert.match(shown, /b failed\n/);
  assert.match(shown, /a █{24} 100% 10\/10/);
  assert.match(shown, /idle ░{24} 0%/);
  display.at(0, undefined);
  await setTimeout(250);
  const later = String(stream.read());
  display.stop();
  assert.match(later, /idle ░{24} 0%/);
  assert.doesNotMatch(later, /10\/10/);
  assert.ok(String(stream.read()).includes('\u001b[?25h'), 'the cursor is back');
});
