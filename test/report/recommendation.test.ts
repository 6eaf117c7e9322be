import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recommend } from '../../src/report/recommendation.js';
import { parseBudget } from '../../src/shared/costs/budget.js';
import { machine, measuredRun } from '../run-folder/measured/measured-fixture.js';

test('three lines: the choice, what is just too dear, and whether something cheaper is as good', () => {
  const run = measuredRun(machine('laptop'));
  const { stitch, price, machine: where, lines } = recommend(run, parseBudget('6.5ms'));
  assert.deepEqual([stitch.id, price, where], [7, 4, 'laptop']);
  assert.equal(lines.length, 3);
  assert.match(lines[0], /^Stitch 7, .*71\.00 % on the test images\. It takes 4 ms of 6\.5 ms on laptop\.$/);
  assert.equal(lines[1], 'No deployed stitch has more FLOPs: a larger budget buys nothing.');
  assert.match(lines[2], /on the test images stitch 5 \(Ti\) has 73\.00 % with 6 ms\.$/);
});

test('of a table that lacks deployed stitches it is not said what a larger budget buys, nor what is the best', () => {
  const partial = (times: Readonly<Record<number, readonly [number, number]>>) =>
    recommend(measuredRun({ ...machine('laptop', times), processor: 'AMD EPYC' }), parseBudget('100ms')).lines;
  const [, dearer, cheaper] = partial({ 3: [2, 2.2] });
  const command = 'esta measure runs/beetles --trial beetles-esta-seed0 --machine laptop --threads 2';
  assert.equal(dearer, `2 deployed stitches with more FLOPs have no milliseconds on laptop: ${command} measures them.`);
  assert.match(cheaper, /^Of the deployed stitches that were measured there and are within the budget it has the most/);

  const [, next] = partial({ 3: [2, 2.2], 7: [200, 220] });
  assert.match(
    next,
    /^The next one that was measured, stitch 7 \(Ti\), takes 200 ms, .* 71\.00 %\. 1 deployed stitch with/,
  );
  assert.match(next, / more FLOPs has no milliseconds on laptop: .* measures it\.$/);

  // What is not measured may be better, also where it has fewer FLOPs.
  const cheap = partial({ 5: [6, 6.3], 7: [4, 4.4] });
  assert.equal(cheap[1], 'No deployed stitch has more FLOPs: a larger budget buys nothing.');
  assert.match(cheap[2], /^Of those that were measured there it has the most FLOPs within the budget, but .* 6 ms\.$/);
});

test('a table that was filled in elsewhere is completed by a form', () => {
  const { lines } = recommend(measuredRun(machine('phone', { 3: [2, 2.2] })), parseBudget('100ms'));
  const command = 'esta measure runs/beetles --trial beetles-esta-seed0 --form form.csv';
  assert.ok(lines[1].endsWith(`on phone: ${command} writes a table to be filled in.`), lines[1]);
});

test('what takes longer with fewer FLOPs is no next one', () => {
  // Stitch 5 takes 6 ms, and has fewer FLOPs than stitch 7, which takes 4.
  const { stitch, lines } = recommend(measuredRun(machine('laptop')), parseBudget('5ms'));
  assert.equal(stitch.id, 7);
  assert.equal(lines[1], 'No deployed stitch has more FLOPs: a larger budget buys nothing.');
});

test('what is over the budget is not called affordable', () => {
  const run = measuredRun(machine('laptop', { 3: [2, 2.2], 5: [3, 3.1], 7: [9, 9.3] }));
  const { stitch, lines } = recommend(run, parseBudget('5ms'));
  assert.equal(stitch.id, 5);
  assert.match(lines[1], /^The next one, stitch 7 \(Ti\), takes 9 ms, which is over the budget; it has 71\.00 %\.$/);
  assert.match(lines[2], /it has the most FLOPs, and is the most accurate\.$/);
});

test('one that is as accurate is better only where it costs less', () => {
  const measured = (times: Parameters<typeof machine>[1]) => ({ machines: [machine('laptop', times)] });
  const run = { ...measuredRun(), ...measured({ 3: [2, 2.2], 5: [6, 6.3], 7: [4, 4.4] }) };
  const stitches = run.result.stitches.map((stitch) => ({ ...stitch, accuracy: 70 }));
  const alike = { ...run, result: { ...run.result, stitches } };
  const [, , slower] = recommend(alike, parseBudget('5.9ms')).lines;
  assert.match(slower, /on the test images stitch 3 \(Ti\) has 70\.00 % with 2 ms\.$/);
  const dear = recommend({ ...alike, ...measured({ 3: [9, 9.2], 5: [9, 9.2], 7: [4, 4.4] }) }, parseBudget('9ms'));
  assert.match(dear.lines[2], /it has the most FLOPs, and is the most accurate\.$/);
});

test('bytes, parameters and FLOPs name no machine', () => {
  const { stitch, lines, machine: where } = recommend(measuredRun(), parseBudget('0.5Mparams'));
  assert.deepEqual([stitch.id, where], [5, undefined]);
  assert.match(lines[0], /It takes 410 K params of 500 K params\.$/);
});

test('of language models the accuracies are of the texts that they are of', () => {
  const run = measuredRun();
  const stitches = run.result.stitches.map((stitch) => ({ ...stitch, loss: 3 }));
  const text = { ...run, result: { ...run.result, stitches } };
  const { lines } = recommend(text, parseBudget('1Mparams'));
  assert.match(lines[0], /71\.00 % of the next tokens of the validation texts\. It takes/);
  assert.match(lines[2], /, but of the next tokens of the validation texts stitch 5 \(Ti\) has 73\.00 %/);
  assert.throws(() => recommend(text, parseBudget('5ms')), {
    ...{ name: 'RequestError', message: /language models, whose milliseconds are not measured$/ },
    hint: 'Give a budget of parameters, bytes or FLOPs: 1Mparams, 4MB.',
  });
});
