import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseWithin, type MeasuredRun, pricesOf } from '../../../src/run-folder/measured/choice.js';
import { parseBudget } from '../../../src/shared/costs/budget.js';
import { machine, measuredRun } from './measured-fixture.js';

function chosen(run: MeasuredRun, text: string, name?: string): number {
  const budget = parseBudget(text);
  return chooseWithin(run, budget, pricesOf(run, budget.cost, name)).stitch.id;
}

/** What `esta measure` has written: it knows the processor. */
const measuredHere = { ...machine('laptop'), processor: 'AMD EPYC' };

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
  assert.equal(chosen(measuredRun(measuredHere), '1.65MB'), 3, 'its file has 1.69 MB');
});

test('sizes from elsewhere count where they are asked for; those of some stitches alone are not mixed with weights', () => {
  const small = (name: string, ids: readonly number[]) => {
    const table = machine(name);
    const [trial] = table.trials;
    const stitches = trial!.stitches
      .filter(({ id }) => ids.includes(id))
      .map((each) => ({ ...each, file_bytes: 1000 }));
    return { ...table, trials: [{ ...trial!, stitches }] };
  };
  const phone = measuredRun(small('phone', [3, 5, 7]));
  assert.equal(chosen(phone, '0.8MB'), 3, 'that of the weights');
  assert.equal(chosen(phone, '1KB', 'phone'), 7);
  assert.throws(() => chosen(phone, '1KB', 'watch'), { message: /not measured on "watch"/, hint: /phone/ });
  const laptop = measuredHere;
  const part = { ...laptop, trials: [{ ...laptop.trials[0]!, stitches: laptop.trials[0]!.stitches.slice(1) }] };
  assert.equal(chosen(measuredRun(part), '1.65MB'), 5, 'of the weights, as one is not measured');
  const unsized = {
    ...laptop,
    trials: [{ ...laptop.trials[0]!, stitches: laptop.trials[0]!.stitches.map(({ file_bytes: _, ...each }) => each) }],
  };
  assert.throws(() => chosen(measuredRun(unsized), '9MB', 'laptop'), {
    message: /^laptop has measured no deployed stitch of beetles-esta-seed0 by the size of its file$/,
  });
});

test('FLOPs and parameters are paid to the digits that are printed, milliseconds and bytes to the last', () => {
  const run = measuredRun(machine('laptop', { 3: [2.004, 3], 5: [6, 7], 7: [9, 9] }));
  const { result } = run;
  const odd = {
    ...run,
    result: { ...result, stitches: result.stitches.map((s) => ({ ...s, flops: s.flops + 12_345 })) },
  };
  assert.equal(chosen(odd, '40MFLOPs'), 5, '40.012345 M are printed as 40');
  assert.equal(chosen(odd, '40.01MFLOPs'), 5);
  assert.equal(chosen(odd, '39.9MFLOPs'), 3);
  assert.throws(() => chosen(run, '2ms'), /costs 2 ms or less/);
  assert.equal(chosen(run, '2.004ms'), 3);
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
