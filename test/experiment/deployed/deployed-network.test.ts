/** Which deployed stitch is meant. Costs and budgets: run-folder/measured/choice.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chosenStitch } from '../../../src/experiment/deployed/deployed-network.js';
import { RequestError } from '../../../src/shared/errors.js';
import { machine, measuredRun } from '../../run-folder/measured/measured-fixture.js';

test('a stitch by its id, the largest without one, or what a budget buys', () => {
  // FLOPs: stitch 3 has 20 M, 5 has 40 M, 7 has 90 M; on the laptop they take 2, 6 and 4 ms.
  const run = measuredRun(machine('laptop'), machine('phone', { 3: [20, 21], 5: [30, 31], 7: [50, 51] }));
  assert.equal(chosenStitch(run, {}).id, 7);
  assert.equal(chosenStitch(run, { stitch: 3 }).id, 3);
  assert.equal(chosenStitch(run, { budget: { cost: 'flops', limit: 50e6 } }).id, 5);
  assert.equal(chosenStitch(run, { budget: { cost: 'latency', limit: 5 }, machine: 'laptop' }).id, 7);
  assert.equal(chosenStitch(run, { budget: { cost: 'latency', limit: 25 }, machine: 'phone' }).id, 3);
  assert.throws(
    () => chosenStitch(run, { stitch: 4 }),
    (error) => {
      assert.ok(error instanceof RequestError);
      assert.equal(error.message, 'stitch 4 is not deployed in beetles-esta-seed0');
      assert.match(error.hint!, /^Deployed are 3 \(.*\), 5 \(.*\), 7 \(.*\)\.$/);
      return true;
    },
  );
});
