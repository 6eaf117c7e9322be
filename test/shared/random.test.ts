/** The generator against its published algorithm, and what is drawn from it against the moments of its distributions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../src/shared/random.js';

/** xoshiro128** 1.1 as Blackman and Vigna publish it (prng.di.unimi.it/xoshiro128starstar.c), in whole numbers. */
function xoshiro(words: readonly bigint[]): () => number {
  const rotl = (x: bigint, k: bigint) => BigInt.asUintN(32, (x << k) | (x >> (32n - k)));
  const s = [...words];
  return () => {
    const result = BigInt.asUintN(32, rotl(BigInt.asUintN(32, s[1]! * 5n), 7n) * 9n);
    const t = BigInt.asUintN(32, s[1]! << 9n);
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= t;
    s[3] = rotl(s[3]!, 11n);
    return Number(result);
  };
}

test('the words of xoshiro128**, as the reference code gives them', () => {
  for (const words of [[1, 2, 3, 4] as const, [0xdeadbeef, 0x9e3779b9, 7, 0xffffffff] as const]) {
    const random = Random.restore({ words });
    const reference = xoshiro(words.map(BigInt));
    for (let draw = 0; draw < 200; draw++) assert.equal(random.uint32(), reference());
  }
  // By hand: 2 * 5 = 10, rotated by 7 bits 1280, times 9.
  assert.equal(Random.restore({ words: [1, 2, 3, 4] }).uint32(), 11520);
});

const draws = (count: number, draw: (random: Random) => number) => {
  const random = Random.of(0, 'moments');
  return Array.from({ length: count }, () => draw(random));
};
const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

test('a uniform number is a 32-bit word by 2^32, between its ends', () => {
  const words = Random.of(3, 'uniform');
  const random = Random.of(3, 'uniform');
  for (let draw = 0; draw < 20; draw++) assert.equal(random.uniform(-2, 6), -2 + (8 * words.uint32()) / 4294967296);
  assert.deepEqual([...new Set(draws(200, (random) => random.integer(3)))].sort(), [0, 1, 2]);
});

test('purposes, seeds and parts of a purpose have streams of their own', () => {
  const first = (...[seed, ...purpose]: Parameters<typeof Random.of>) => Random.of(seed, ...purpose).uint32();
  const streams = [first(0, 'a'), first(1, 'a'), first(0, 'b'), first(0, 'a', 1), first(0, 'a', 2), first(10)];
  assert.equal(new Set(streams).size, streams.length);
  // Neighbouring images must not see neighbouring crops: 4000 means of a uniform number, 0.29 / sqrt(4000) = 0.005.
  const values = Array.from({ length: 4000 }, (_, index) => Random.of(0, 'view', index).uniform());
  assert.ok(Math.abs(meanOf(values) - 0.5) < 0.02);
  const products = values.slice(1).map((value, index) => (value - 0.5) * (values[index]! - 0.5));
  assert.ok(Math.abs(meanOf(products)) < 0.006, 'neighbours are uncorrelated: 1/12 / sqrt(4000) = 0.0013');
});

test('normal numbers have mean 0, deviation 1 and 4.55 % beyond two deviations', () => {
  const values = draws(20_000, (random) => random.normal());
  assert.ok(Math.abs(meanOf(values)) < 0.03);
  assert.ok(Math.abs(meanOf(values.map((value) => value ** 2)) - 1) < 0.04);
  assert.ok(Math.abs(meanOf(values.map((value) => (Math.abs(value) > 2 ? 1 : 0))) - 0.0455) < 0.006);
});

test('truncated ones end at two deviations: variance 1 - 4 phi(2) / (2 Phi(2) - 1) = 0.7737 of the untruncated', () => {
  const values = Array.from(Random.of(0, 'truncated').truncatedNormal(20_000, 0.02), (value) => value / 0.02);
  const largest = Math.max(...values.map(Math.abs));
  assert.ok(largest <= 2.000001 && largest > 1.95);
  assert.ok(Math.abs(meanOf(values)) < 0.03);
  assert.ok(Math.abs(meanOf(values.map((value) => value ** 2)) - 0.7737) < 0.03);
});

test('weights are probabilities; a weight of 0 is never drawn', () => {
  const counts = [0, 0, 0, 0];
  for (const index of draws(8000, (random) => random.weighted([0, 1, 3, 0]))) counts[index]!++;
  assert.deepEqual([counts[0], counts[3]], [0, 0]);
  assert.ok(Math.abs(counts[1]! - 2000) < 200, 'deviation sqrt(8000 * 3) / 4 = 39');
});

test('a shuffled copy holds everything, every order alike', () => {
  const orders = new Map<string, number>();
  const random = Random.of(0, 'orders');
  for (let draw = 0; draw < 6000; draw++) {
    const order = random.shuffled(['a', 'b', 'c']).join('');
    orders.set(order, (orders.get(order) ?? 0) + 1);
  }
  assert.equal(orders.size, 6);
  for (const count of orders.values()) assert.ok(Math.abs(count - 1000) < 150, 'deviation 29');
});
