import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { consistent } from '../../../src/config/schema/consistency.js';

const fields = z.strictObject({
  outer: z.strictObject({ inner: z.number(), other: z.number() }),
  beside: z.number(),
});

/** The problems that a file has where a rule on `needs` never holds, as `path: message`. */
function problemsOf(needs: readonly string[], value: unknown): string[] {
  const schema = consistent(fields, [{ needs, at: ['beside'], problem: () => 'the rule' }]);
  return schema.safeParse(value).error!.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

const right = { outer: { inner: 1, other: 1 }, beside: 1 };
const rule = 'beside: the rule';

test('a rule that does not hold is a problem of its field, with the message of the rule', () => {
  assert.deepEqual(problemsOf(['outer.inner'], right), [rule]);
  const holding = consistent(fields, [{ needs: [], at: ['beside'], problem: () => undefined }]);
  assert.deepEqual(holding.parse(right), right);
});

test('a rule is skipped where a field that it reads has a problem: itself, what holds it, or what it holds', () => {
  const wrong = { ...right, outer: { ...right.outer, inner: 'one' } };
  assert.ok(!problemsOf(['outer.inner'], wrong).includes(rule));
  assert.ok(!problemsOf(['beside', 'outer.inner'], wrong).includes(rule), 'any of them');
  assert.ok(!problemsOf(['outer'], wrong).includes(rule), 'it holds the faulty field');
  assert.ok(!problemsOf(['outer.inner'], { ...right, outer: 1 }).includes(rule), 'the section is faulty');
  for (const nothing of [undefined, null, 'text', 1]) assert.ok(!problemsOf(['beside'], nothing).includes(rule));
});

test('a rule is checked beside problems of fields that it does not read', () => {
  const wrong = { ...right, outer: { ...right.outer, other: 'one' } };
  assert.deepEqual(problemsOf(['outer.inner'], wrong).length, 2);
  assert.ok(problemsOf(['outer.inner'], wrong).includes(rule));
  // `outer.inn` is not a part of `outer.inner`, though its name begins it.
  const unknown = { ...right, outer: { ...right.outer, inn: 1 } };
  assert.ok(problemsOf(['outer.inner'], unknown).includes(rule));
  assert.ok(
    problemsOf(['outer.inner', 'outer'], { ...right, more: 1 }).includes(rule),
    'an unknown key spoils no field',
  );
});
