import assert from 'node:assert/strict';
import test from 'node:test';
import { type Lifetime, layOut } from '../../../../src/engine/nvidia/programs/memory.js';
import { Random } from '../../../../src/shared/random.js';

test('what does not live at the same time shares its place', () => {
  const lives = new Map<string, Lifetime>([
    ['a', { bytes: 1000, from: 0, to: 1 }],
    ['b', { bytes: 1000, from: 2, to: 3 }],
    ['c', { bytes: 500, from: 1, to: 2 }],
  ]);
  const { offsets, bytes } = layOut(lives);
  assert.equal(offsets.get('a'), offsets.get('b'));
  assert.equal(bytes, 1024 + 512);
});

test('no two values that live together overlap', () => {
  const random = Random.of(0, 'memory');
  const lives = new Map<number, Lifetime>();
  for (let key = 0; key < 200; key++) {
    const from = Math.floor(random.uniform() * 100);
    const to = from + Math.floor(random.uniform() * 20);
    lives.set(key, { bytes: 1 + Math.floor(random.uniform() * 5000), from, to });
  }
  const { offsets, bytes } = layOut(lives);
  const all = [...lives].map(([key, life]) => ({
    ...life,
    start: offsets.get(key)!,
    end: offsets.get(key)! + life.bytes,
  }));
  for (const [index, one] of all.entries()) {
    assert.equal(one.start % 256, 0);
    assert.ok(one.end <= bytes);
    for (const other of all.slice(index + 1)) {
      const together = one.from <= other.to && other.from <= one.to;
      assert.ok(!together || one.end <= other.start || other.end <= one.start);
    }
  }
});
