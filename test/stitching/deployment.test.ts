import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deployedStitches, unbeaten } from '../../src/stitching/deployment.js';
import { initialImportance } from '../../src/stitching/importance.js';
import { flopsBins } from '../../src/stitching/space/flops-bins.js';

/** Bins [0, 4, 3], [], [], [1] and the largest anchor 2. */
const bins = flopsBins([10, 40, 100, 12, 11], 2, { count: 4 });
const scores = (...values: (number | null)[]) => ({ ...initialImportance(5), scores: values });

test('the top stitch of each bin is deployed, and the largest anchor', () => {
  assert.deepEqual(deployedStitches(bins, scores(1, 0, 0, 2, 3)), [{ id: 4, bin: 0 }, { id: 1, bin: 3 }, { id: 2 }]);
});

test('stitches that were never trained rank last, even behind a score of 0', () => {
  assert.equal(deployedStitches(bins, scores(null, null, null, 0, null))[0]!.id, 3);
  assert.equal(deployedStitches(bins, scores(null, null, null, null, null))[0]!.id, 0);
});

test('of equal stitches the cheaper is deployed', () => {
  assert.equal(deployedStitches(bins, scores(1, 0, 0, 2, 2))[0]!.id, 4);
});

test('what is preferred is deployed for its bin, whatever the scores; of several the best', () => {
  const deployed = (preferred: number[]) => deployedStitches(bins, scores(1, 0, 0, 2, 3), preferred);
  assert.deepEqual(deployed([0, 2]), [{ id: 0, bin: 0 }, { id: 1, bin: 3 }, { id: 2 }]);
  assert.equal(deployed([0, 3])[0]!.id, 3);
  assert.equal(deployedStitches(bins, scores(null, 0, 0, 2, 3), [0])[0]!.id, 0, 'without a score');
});

const answersOf = (text: string) => [...text].map((answer) => answer === '1');

test('what a cheaper stitch clearly beats is left out; the largest anchor stays, and what is preferred', () => {
  const chosen = [{ id: 5, bin: 0 }, { id: 3, bin: 1 }, { id: 8, bin: 2 }, { id: 1, bin: 4 }, { id: 2 }];
  const answers = [
    '1111111100', // 8 right
    '1110000000', // 5 fewer, none of its own: 5 > 2 sqrt(5)
    '1111000000', // 4 fewer: 4 = 2 sqrt(4)
    '1100000000', // beaten by the first, 6 > 2 sqrt(6), not by stitch 8
    '0000000000', // the largest anchor
  ].map(answersOf);
  assert.deepEqual(unbeaten(chosen, answers), {
    deployed: [{ id: 5, bin: 0 }, { id: 8, bin: 2 }, { id: 2 }],
    beaten: [
      { id: 3, bin: 1, by: 5 },
      { id: 1, bin: 4, by: 5 },
    ],
  });
  assert.deepEqual(unbeaten(chosen, answers, [1, 2]), {
    deployed: [{ id: 5, bin: 0 }, { id: 8, bin: 2 }, { id: 1, bin: 4 }, { id: 2 }],
    beaten: [{ id: 3, bin: 1, by: 5 }],
  });
});

test('a difference of two standard errors or less beats nothing', () => {
  const pair = (cheap: string, dear: string) =>
    unbeaten(
      [
        { id: 0, bin: 0 },
        { id: 1, bin: 1 },
      ],
      [cheap, dear].map(answersOf),
    ).beaten.length;
  assert.equal(pair('1111', '0000'), 0, '4 = 2 sqrt(4)');
  assert.equal(pair('11111', '00000'), 1, '5 > 2 sqrt(5)');
  assert.equal(pair('1111110', '0000001'), 0, '6 less 1 is below 2 sqrt(7)');
  assert.equal(pair('11111110', '00000001'), 1, '7 less 1 is above 2 sqrt(8)');
  assert.equal(pair('0000', '1111'), 0, 'the dearer is better');
});
