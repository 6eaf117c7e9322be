import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sample } from '../../src/data/dataset.js';
import { drawValidation, fewShot, shotNotes, trainAndValidation, withValidation } from '../../src/data/splits.js';

/** `counts[label]` samples of each label. */
function samplesOf(counts: readonly number[]): Sample[] {
  return counts.flatMap((count, label) =>
    Array.from({ length: count }, (_, index) => ({ file: `${label}/${index}`, label })),
  );
}

function countsOf(samples: readonly Sample[], classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const { label } of samples) counts[label]!++;
  return counts;
}

test('validation counts are those of the splits published by VPT', () => {
  // CUB-200-2011: 5994 images, 29 or 30 a class; VPT: 5394 / 600, 3 of each class
  const cub = Array.from({ length: 200 }, (_, label) => (label % 33 === 0 && label < 180 ? 29 : 30));
  const drawn = drawValidation(samplesOf(cub), 0.1, 0);
  assert.equal(drawn.train.length, 5394);
  assert.deepEqual(countsOf(drawn.val, 200), new Array(200).fill(3));
  // Stanford Dogs: 100 a class, VPT: 10 of each
  const dogs = drawValidation(samplesOf(new Array(120).fill(100)), 0.1, 0);
  assert.deepEqual(countsOf(dogs.val, 120), new Array(120).fill(10));
});

test('largest remainders win, by hand', () => {
  // 12 images, 0.25: 3 wanted; quotas 7/4, 3/4, 2/4: floors 1, 0, 0, remainders 3/4, 3/4, 2/4
  assert.deepEqual(countsOf(drawValidation(samplesOf([7, 3, 2]), 0.25, 0).val, 3), [2, 1, 0]);
});

test('no class loses its last training image', () => {
  // 20 classes of one image: 2 wanted, none to spare
  const singletons = drawValidation(samplesOf(new Array(20).fill(1)), 0.1, 0);
  assert.deepEqual([singletons.train.length, singletons.val.length], [20, 0]);
  // 13 images, 0.5: 7 wanted; quotas 10 7/13 -> 5 (5), 1 7/13 -> 0 (7); each single class has the larger remainder, but
  // the large one gives all
  const tailed = drawValidation(samplesOf([10, 1, 1, 1]), 0.5, 0);
  assert.deepEqual(countsOf(tailed.val, 4), [7, 0, 0, 0]);
  assert.deepEqual(countsOf(tailed.train, 4), [3, 1, 1, 1]);
  // 6 images, 0.9: 5 wanted, 3 to spare
  assert.deepEqual(countsOf(drawValidation(samplesOf([2, 2, 2]), 0.8, 0).train, 3), [1, 1, 1]);
});

test('a class gives its images up to the last but one', () => {
  // 9 images, 0.5: 5 wanted; 5 3/9 -> 1 of each class, and of two classes a second one.
  const { train, val } = drawValidation(samplesOf([3, 3, 3]), 0.5, 0);
  assert.deepEqual(countsOf(val, 3).sort(), [1, 2, 2]);
  assert.deepEqual(countsOf(train, 3).sort(), [1, 1, 2]);
});

test('notes name the classes without validation images, and those with fewer images than shots', () => {
  const [train, classes] = [samplesOf([9, 9, 1]), ['owl', 'wren', 'kiwi']];
  const dataset = withValidation({ name: 'x', classes, splits: { train, test: train } }, 0.1, 0);
  assert.deepEqual(dataset.notes, [
    'validation has no image of 1 of 3 classes (kiwi): too few training images for validation_fraction 0.1',
  ]);
  assert.deepEqual(shotNotes({ name: 'x', classes, splits: { train, test: train } }, 4), [
    '1 of 3 classes have fewer than 4 training images (1) and keep all: kiwi',
  ]);
  assert.deepEqual(shotNotes({ name: 'x', classes, splits: { train, test: train } }, 1), []);
  const four = samplesOf([9, 4, 1]);
  assert.match(
    shotNotes({ name: 'x', classes, splits: { train: four, test: four } }, 4)[0]!,
    /^1 of 3 .*\(1\).*: kiwi$/,
  );
});

test('equal remainders are decided by the seed', () => {
  const chosen = new Set<number>();
  for (let seed = 0; seed < 40; seed++) {
    const { val } = drawValidation(samplesOf([5, 5, 5, 5]), 0.05, seed);
    assert.equal(val.length, 1);
    chosen.add(val[0]!.label);
  }
  assert.equal(chosen.size, 4);
});

test('the parts are disjoint, complete, ordered and repeatable', () => {
  const samples = samplesOf([20, 13, 8]);
  const { train, val } = drawValidation(samples, 0.2, 3);
  assert.deepEqual(drawValidation(samples, 0.2, 3), { train, val });
  assert.notDeepEqual(drawValidation(samples, 0.2, 4).val, val);
  assert.deepEqual([...train, ...val].sort(byFile), [...samples].sort(byFile));
  const positions = train.map((sample) => samples.indexOf(sample));
  assert.deepEqual(
    positions,
    [...positions].sort((a, b) => a - b),
  );
});

test('impossible fractions are refused', () => {
  for (const fraction of [0, -1, 1, Number.NaN]) {
    assert.throws(() => drawValidation(samplesOf([4, 4]), fraction, 0), /some of both must remain/);
  }
});

test('a data set keeps the validation split it has', () => {
  const [train, val, test_] = [samplesOf([10, 10]), samplesOf([1, 1]), samplesOf([2, 2])];
  const own = { name: 'own', classes: ['a', 'b'], splits: { train, val, test: test_ } };
  assert.equal(withValidation(own, 0.1, 0), own);
  const drawn = withValidation({ ...own, splits: { train, test: test_ } }, 0.1, 0);
  assert.deepEqual(countsOf(drawn.splits.val ?? [], 2), [1, 1]);
  assert.equal(drawn.splits.test, test_);
  assert.ok(!('notes' in drawn), 'every class has a validation image');
  assert.equal(trainAndValidation(drawn.splits).length, 20);
});

test('few-shot subsets hold k of every class, or all there are', () => {
  const samples = samplesOf([20, 3, 8]);
  const subset = fewShot(samples, 4, 1);
  assert.deepEqual(countsOf(subset, 3), [4, 3, 4]);
  assert.equal(new Set(subset).size, 11);
  assert.deepEqual(fewShot(samples, 4, 1), subset);
  assert.notDeepEqual(fewShot(samples, 4, 2), subset);
});

test('few-shot subsets of different sizes are drawn independently', () => {
  // Were the one shot among the two, it would be so in each of 40 draws of one class; by chance it is in a fifth of them.
  const samples = samplesOf([10]);
  let nested = 0;
  for (let seed = 0; seed < 40; seed++) {
    const two = fewShot(samples, 2, seed);
    if (two.includes(fewShot(samples, 1, seed)[0]!)) nested++;
  }
  assert.ok(nested < 25, `${nested} of 40`);
});

function byFile(a: Sample, b: Sample): number {
  return a.file < b.file ? -1 : 1;
}
