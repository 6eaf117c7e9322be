import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meanQuality, scoreOf } from '../../src/evaluation/quality.js';

test('what is better: more accuracy, of language models less loss', () => {
  assert.deepEqual([scoreOf({ accuracy: 50 }), scoreOf({ accuracy: 90, loss: 2 })], [50, -2]);
});

test('means over stitches, of the loss where there is one', () => {
  assert.deepEqual(meanQuality([{ accuracy: 10 }, { accuracy: 40 }]), { accuracy: 25 });
  const losses = [
    { accuracy: 10, loss: 1 },
    { accuracy: 40, loss: 4 },
  ];
  assert.deepEqual(meanQuality(losses), { accuracy: 25, loss: 2.5 });
});
