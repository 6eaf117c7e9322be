/** What waits on a full card is taken before a program is refused, and a refused one leaves nothing behind. */
import assert from 'node:assert/strict';
import test from 'node:test';

import tf = require('@tensorflow/tfjs');

import type { Card } from '../../../../src/engine/nvidia/card/card.js';
import { createNvidiaEngine } from '../../../../src/engine/nvidia/engine.js';
import { float32 } from '../../../../src/shared/arrays.js';
import { TrialError } from '../../../../src/shared/errors.js';
import { blankCard } from '../blank-card.js';

const mebibyte = 2 ** 20;

/** A blank card of 100 MiB. */
function smallCard(): { readonly card: Card; readonly used: () => number } {
  const blank = blankCard();
  const sizes = new Map<number, number>();
  const used = () => [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
  const allocate = (bytes: number) => {
    if (used() + bytes > 100 * mebibyte) throw new TrialError('out of memory');
    const address = blank.allocate(bytes);
    sizes.set(address, bytes);
    return address;
  };
  return { card: { ...blank, allocate, release: (address) => void sizes.delete(address) }, used };
}

const zeros = (...shape: number[]) => float32(shape, new Float32Array(shape.reduce((count, side) => count * side, 1)));

/** Products of 2048 x 2048: 16 MiB each. */
function products({ y }: { readonly y: tf.Tensor }, count: number): tf.Tensor[] {
  const outer = (factor: number) => tf.matMul(y.mul(factor).reshape([2048, 1]), y.reshape([1, 2048]));
  const all = Array.from({ length: count }, (_, index) => outer(index + 1));
  return [all.reduce((product, each) => tf.matMul(product, each)), all.at(-1)!.sum()];
}

test('a program takes the memory of values that were given back', async () => {
  const { card, used } = smallCard();
  const engine = await createNvidiaEngine({ card, precision: 'float32' });
  const given = { w: engine.put(zeros(15, 2 ** 20), true), y: engine.put(zeros(2048)) };
  engine.free(await engine.compile('sum', ({ w, y }: Record<'w' | 'y', tf.Tensor>) => [w.sum().add(y)])(given));
  engine.free(given.w);
  assert.ok(used() > 60 * mebibyte);
  const results = await engine.compile('products', (inputs: { readonly y: tf.Tensor }) => products(inputs, 3))({
    y: given.y,
  });
  assert.deepEqual(results[0]!.shape, [2048, 2048]);
});

test('a program that the card has no room for leaves nothing there', async () => {
  const { card, used } = smallCard();
  const engine = await createNvidiaEngine({ card, precision: 'float32' });
  const run = engine.compile('products', (inputs: { readonly y: tf.Tensor }) => products(inputs, 9));
  const held: number[] = [];
  for (let time = 0; time < 4; time++) {
    const y = engine.put(zeros(2048));
    await assert.rejects(run({ y }), { name: 'TrialError' });
    engine.free(y);
    held.push(used());
  }
  assert.equal(held[3], held[0]);
  engine.reserve!([60, 2 ** 18]); // there is room for 60 MiB, as on an empty card
});
