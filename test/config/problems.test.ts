import assert from 'node:assert/strict';
import { test } from 'node:test';
import { show } from '../../src/config/problems.js';

test('values are shown as JSON, those that JSON has no words for as YAML; long ones are cut to 60 characters', () => {
  const texts = [{ a: [1, null] }, 'x', undefined, Number.NaN, Number.NEGATIVE_INFINITY].map(show);
  assert.deepEqual(texts, ['{"a":[1,null]}', '"x"', 'undefined', '.nan', '-.inf']);
  assert.equal(show('x'.repeat(58)), `"${'x'.repeat(58)}"`);
  assert.equal(show('x'.repeat(59)), `"${'x'.repeat(56)}...`);
});
