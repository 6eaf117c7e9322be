/** Padding, order by length and the validation split. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { splitInstructions } from '../../../src/data/instructions/split.js';
import { orderByLength, textBatch } from '../../../src/data/text/batches.js';
import { RequestError } from '../../../src/shared/errors.js';
import { Random } from '../../../src/shared/random.js';

test('texts are padded in front to a multiple of eight, with labels that are not learned', () => {
  const texts = [
    { ids: [1, 5, 6, 2], labels: [-100, -100, 6, 2] },
    { ids: [1, 2, 3, 4, 5, 6, 7, 8, 9], labels: [1, 2, 3, 4, 5, 6, 7, 8, 9] },
  ];
  const { ids, labels } = textBatch(texts);
  assert.deepEqual(ids.shape, [2, 16]);
  assert.deepEqual([...ids.data], [...Array(12).fill(-1), 1, 5, 6, 2, ...Array(7).fill(-1), 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual(labels.shape, [2, 16]);
  assert.deepEqual([...labels.data.subarray(0, 16)], [...Array(14).fill(-100), 6, 2]);
  assert.deepEqual([...labels.data.subarray(16)], [...Array(7).fill(-100), 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assert.deepEqual(textBatch(texts.slice(0, 1)).ids.shape, [1, 8]);
  assert.deepEqual(textBatch(texts, 64).ids.shape, [2, 64]);
});

test('neighbours are of similar length, the longest text is first, and every text comes once', () => {
  const random = Random.of(0);
  const lengths = Array.from({ length: 100 }, () => 10 + random.integer(200));
  const order = orderByLength(lengths, 5, Random.of(1));
  assert.deepEqual(
    [...order].sort((a, b) => a - b),
    [...lengths.keys()],
  );
  assert.equal(lengths[order[0]!], Math.max(...lengths));
  // 100 texts in batches of 5: 5 batches are sorted together, so that lengths fall but at the starts of 4 groups.
  const rises = order.slice(1).filter((text, index) => index > 0 && lengths[text]! > lengths[order[index]!]!);
  assert.ok(rises.length >= 1 && rises.length <= 4, `${rises.length} rises`);
  assert.notDeepEqual(orderByLength(lengths, 5, Random.of(2)), order);
  assert.deepEqual(orderByLength(lengths, 5, Random.of(1)), order);
  assert.deepEqual(orderByLength([3], 5, random), [0]);
});

test('no more than 50 batches are sorted together, as transformers has it', () => {
  // 1000 texts in batches of 2: a quarter of all batches would be 125; 50 are 100 texts.
  const lengths = Array.from({ length: 1000 }, (_, index) => index);
  const order = orderByLength(lengths, 2, Random.of(0));
  const rises = order.flatMap((text, index) =>
    index > 1 && lengths[text]! > lengths[order[index - 1]!]! ? [index] : [],
  );
  // The longest text of all has changed places with the first; where it was, lengths rise as well.
  const inside = rises.filter((index) => index % 100 !== 0);
  assert.ok(inside.length <= 1, `${rises}`);
  assert.equal(rises.length - inside.length, 9, 'ten groups');
});

test('2,000 texts are for validation, by the seed; both parts keep the order', () => {
  const all = Array.from({ length: 2500 }, (_, index) => index);
  const { train, validation } = splitInstructions(all);
  assert.equal(validation.length, 2000);
  assert.deepEqual(
    [...train, ...validation].sort((a, b) => a - b),
    all,
  );
  for (const part of [train, validation])
    assert.deepEqual(
      part,
      [...part].sort((a, b) => a - b),
    );
  assert.deepEqual(splitInstructions(all, 2000, 42), { train, validation, test: [] });
  assert.notDeepEqual(splitInstructions(all, 2000, 43).validation, validation);
  assert.throws(() => splitInstructions(all.slice(0, 2000)), RequestError);
  const tested = splitInstructions(all, 2000, 42, 100);
  assert.deepEqual(tested.validation, validation, 'the same with test texts beside');
  assert.equal(tested.test.length, 100);
  assert.equal(new Set([...tested.train, ...tested.validation, ...tested.test]).size, all.length);
  assert.throws(() => splitInstructions(all.slice(0, 2050), 2000, 42, 50), /2000 of 2050 .* and 50 for the test/);
});
