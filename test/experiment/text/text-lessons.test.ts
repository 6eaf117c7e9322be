/** Texts whose answers are cut off: told where some are, refused where all of a split are. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TokenisedText } from '../../../src/data/text/tokenised-text.js';
import { hasLesson, lessonNote } from '../../../src/experiment/text/text-lessons.js';

const text = (...labels: number[]): TokenisedText => ({ ids: labels.map(() => 1), labels });
const [whole, cut] = [text(-100, -100, 7), text(-100, -100, -100)];

test('a label is learned unless it is negative or of the first token, which none predicts', () => {
  assert.deepEqual([whole, cut, text(7), text(7, -100), text(-100, 0)].map(hasLesson), [
    true,
    false,
    false,
    false,
    true,
  ]);
});

test('one sentence tells how many of each split have nothing left', () => {
  assert.equal(lessonNote({ training: [whole], validation: [whole], test: [] }, 9), undefined);
  assert.equal(
    lessonNote({ training: [whole, cut, cut], validation: [whole], test: [cut, whole] }, 9),
    'text.cutoff: 9 tokens cut off the answers of 2 of 3 training texts and 1 of 2 test texts, of which nothing is learned or measured; raise it to use them',
  );
});

for (const lost of ['training', 'validation', 'test']) {
  test(`refused: nothing is left of the ${lost} texts`, () => {
    const splits = { training: [whole, cut], validation: [whole], test: [whole], [lost]: [cut, cut] };
    assert.throws(() => lessonNote(splits, 9), {
      ...{ name: 'RequestError', hint: 'Raise it, or set text.train_on_inputs: true.' },
      message: `text.cutoff: 9 tokens cut off the answers of 2 of 2 ${lost} texts, so that nothing is left to learn or to measure`,
    });
  });
}
