import assert from 'node:assert/strict';
import test from 'node:test';
import { counted } from '../../../../src/engine/nvidia/card/allocations.js';
import { blankCard } from '../blank-card.js';

test('what was in use at once is counted, not what was given back before', () => {
  const { card, peakBytes } = counted(blankCard());
  const [first, second] = [card.allocate(100), card.allocate(50)];
  card.release(first);
  assert.equal(peakBytes(), 150);
  card.allocate(90);
  assert.equal(peakBytes(), 150);
  card.release(second);
  card.allocate(200);
  assert.equal(peakBytes(), 290);
});
