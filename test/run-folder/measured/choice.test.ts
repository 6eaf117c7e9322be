import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseWithin, type MeasuredRun, pricesOf } from '../../../src/run-folder/measured/choice.js';
import { parseBudget } from '../../../src/shared/costs/budget.js';
import { machine, measuredRun } from './measured-fixture.js';

function chosen(run: MeasuredRun, text: string, name?: string): number {
  const budget = parseBudget(text);
  return chooseWithin(run, budget, pricesOf(run, budget.cost, name)).stitch.id;
}

test('FLOPs and parameters need no measurement; the limit itself is paid', () => {
  const run = measuredRun();
  assert.equal(chosen(run, '40MFLOPs'), 5);
  assert.equal(chosen(run, '39.9MFLOPs'), 3);
  assert.equal(chosen(run, '5'), 7);
  assert.equal(chosen(run, '0.5Mparams'), 5);
});

test('of the stitches that are fast enough, the one with the most FLOPs', () => {
  const run = measuredRun(machine('laptop'));
  assert.equal(chosen(run, '5ms'), 7, 'stitch 5 has fewer FLOPs and takes 6 ms');
  assert.equal(chosen(run, '3ms'), 3);
});

test('one image at a time counts, not a batch', () => {
  const prices = pricesOf(measuredRun(machine('laptop')), 'latency');
  assert.deepEqual(
    prices.stitches.map(({ stitch, price }) => [stitch.id, price]),
    [
      [3, 2],
      [5, 6],
      [7, 4],
    ],
  );
});

test('of several machines one has to be named', () => {
  const run = measuredRun(machine('laptop'), machine('phone', { 3: [8, 9], 5: [20, 21], 7: [30, 31] }));
  assert.throws(() => chosen(run, '10ms'), { message: /measured on 2 machines/, hint: /laptop, phone/ });
  assert.equal(chosen(run, '10ms', 'phone'), 3);
  assert.equal(chosen(run, '10ms', 'laptop'), 7);
  assert.throws(() => chosen(run, '10ms', 'watch'), { message: /not measured on "watch"/, hint: /laptop, phone/ });
});

test('sizes are those of the measured files, else of the float32 weights', () => {
  assert.equal(chosen(measuredRun(), '0.8MB'), 3);
  assert.equal(chosen(measuredRun(), '1.65MB'), 5);
  assert.equal(chosen(measuredRun(machine('laptop')), '1.65MB'), 3, 'its file has 1.69 MB');
});

test('what nothing meets names what comes nearest, and all that is deployed', () => {
  const run = measuredRun(machine('laptop'));
  assert.throws(() => chosen(run, '1ms'), {
    name: 'RequestError',
    message: /no stitch of beetles-esta-seed0 costs 1 ms or less on laptop: the nearest is stitch 3 with 2 ms/,
    hint: /3 \(2 ms\), 5 \(6 ms\), 7 \(4 ms\)/,
  });
  assert.throws(() => chosen(run, '1MFLOPs'), { message: /the nearest is stitch 3 with 20 MFLOPs/ });
});

test('milliseconds that nobody has measured, or of other settings, are asked for', () => {
  const hint = /esta measure runs\/beetles --trial beetles-esta-seed0/;
  assert.throws(() => chosen(measuredRun(), '5ms'), { name: 'RequestError', message: /nobody has measured/, hint });
  const run = measuredRun(machine('laptop'));
  const retrained = { ...run, result: { ...run.result, settings: '000000000000' } };
  assert.throws(() => chosen(retrained, '5ms'), { name: 'RequestError', message: /nobody has measured/, hint });
});
