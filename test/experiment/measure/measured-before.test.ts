/** When a machine has measured already what is asked for, and what it measures again beside that. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeRuntime } from '../../../src/bench/latency/exported-file.js';
import {
  alreadyMeasured,
  besidesNote,
  measuredBesides,
  shownNote,
} from '../../../src/experiment/measure/measured-before.js';
import { machine, measuredRun, name } from '../../run-folder/measured/measured-fixture.js';

const request = { machine: 'laptop', batches: [1, 8], rounds: 5, threads: 2 };
const laptop = { ...machine('laptop'), runtime: describeRuntime(request) };
const inRounds = (rounds: number) => ({ ...laptop, trials: laptop.trials.map((trial) => ({ ...trial, rounds })) });

test('a table answers a request of its stitches and batches on the same runtime', () => {
  const run = measuredRun(machine('phone'), laptop);
  assert.equal(alreadyMeasured(run, [3, 5, 7], request), laptop);
  assert.equal(alreadyMeasured(run, [7], { ...request, batches: [8] }), laptop);
  assert.equal(alreadyMeasured(run, [3, 4], request), undefined, 'stitch 4');
  assert.equal(alreadyMeasured(run, [3], { ...request, batches: [1, 4] }), undefined, 'batches of 4');
  assert.equal(alreadyMeasured(run, [3], { ...request, threads: 1 }), undefined, 'another number of threads');
  assert.equal(alreadyMeasured(run, [3], { ...request, machine: 'server' }), undefined);
  assert.equal(alreadyMeasured({ ...run, result: { ...run.result, seed: 1 } }, [3], request), undefined, 'a new trial');
});

test('more rounds than were measured are measured anew; what is shown instead of a measurement is said', () => {
  const [few, enough] = [inRounds(1), inRounds(5)];
  assert.equal(alreadyMeasured(measuredRun(few), [3], request), undefined);
  assert.equal(alreadyMeasured(measuredRun(enough), [3], request), enough);
  assert.equal(alreadyMeasured(measuredRun(enough), [3], { ...request, rounds: 1 }), enough);
  const shown = (table: typeof laptop) => shownNote(measuredRun(table), table);
  assert.equal(
    shown(enough),
    `${name} on laptop: measured before, in 5 rounds, which is shown here; --again measures anew`,
  );
  assert.match(shown(few), /, in 1 round, /);
  assert.match(shown(laptop), /: measured before, which is shown here; /, 'rounds that were not noted');
});

test('what was measured with --all is measured again with what is deployed', () => {
  const run = measuredRun(machine('phone', { 3: [1, 1] }), laptop);
  assert.deepEqual(measuredBesides(run, 'laptop', [0, 3, 5, 7], [7]), [3, 5]);
  assert.deepEqual(measuredBesides(run, 'laptop', [0, 3, 7], [7, 3]), [], 'stitch 5 is not trained');
  assert.deepEqual(measuredBesides(run, 'server', [0, 3, 5, 7], [7]), []);
  assert.match(
    besidesNote(run, 'laptop', [3, 5]),
    /on laptop: 2 stitches that are not deployed are measured again too/,
  );
  assert.match(
    besidesNote(run, 'laptop', [3]),
    /: 1 stitch that is not deployed is .* belong together; .*--machine NAME/,
  );
});
