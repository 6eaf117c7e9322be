/** Differences in words; expected lines are written by hand from the two documents. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { differencesOf } from '../../../src/shared/identity/differences.js';

test('values that differ are named by their path, with both values', () => {
  const there = { seed: 0, training: { epochs: 2, rates: [0.1, 0.2] }, gone: true };
  const now = { training: { rates: [0.1], epochs: 3 }, seed: 0, come: 'x' };
  assert.deepEqual(differencesOf(there, now), [
    'training.epochs: there 2, now 3',
    'training.rates: there [0.1,0.2], now [0.1]',
    'gone: there true, now nothing',
    'come: there nothing, now "x"',
  ]);
  assert.deepEqual(differencesOf({ a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 }), [], 'order of keys');
});

test('lists of named things are compared by name, lists of texts as sets', () => {
  const anchors = [
    { name: 'Ti', rank: 1 },
    { name: 'S', rank: 2 },
  ];
  assert.deepEqual(differencesOf({ anchors }, { anchors: [anchors[0], { name: 'S', rank: 4 }] }), [
    'anchors.S.rank: there 2, now 4',
  ]);
  assert.deepEqual(differencesOf({ anchors }, { anchors: anchors.toReversed() }), ['anchors: another order']);
  const classes = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
  assert.deepEqual(differencesOf({ classes }, { classes: ['a', 'z'] }), [
    'classes: no longer b, c, d, e, f and 1 more, new z',
  ]);
  assert.deepEqual(differencesOf({ classes }, { classes: [...classes, 'h'] }), ['classes: new h']);
  assert.deepEqual(differencesOf({ classes }, { classes: classes.slice(2) }), ['classes: no longer a, b']);
  assert.deepEqual(differencesOf({ classes }, { classes: [] }), [
    'classes: there ["a","b","c","d","e","f","g"], now []',
  ]);
  assert.deepEqual(differencesOf({ classes }, {}), ['classes: there ["a","b","c","d","e","f","g"], now nothing']);
  assert.deepEqual(differencesOf({ classes }, { classes: classes.toReversed() }), ['classes: another order']);
});
