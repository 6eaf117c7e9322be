import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../src/shared/random.js';
import { initialImportance, updateImportance } from '../../src/stitching/importance.js';
import { drawStitches, type Sampling, type SamplingState, stitchProbabilities } from '../../src/stitching/sampling.js';
import { flopsBins } from '../../src/stitching/space/flops-bins.js';

/** Bins [0, 1, 2], [], [3, 4], the largest anchor 5 and stitch 6 which costs more. */
const bins = flopsBins([10, 11, 12, 38, 40, 50, 60], 5, { count: 3 });
const scored = [1, 3, 2, 7, 7].reduce(
  (state, saliency, id) => updateImportance(state, id, saliency),
  initialImportance(7),
);
const taskSpecific: Sampling = { strategy: 'task-specific', warmupEpochs: 2 };
const state = (epoch: number, importance = scored): SamplingState => ({ epoch, importance, bins });

const close = (actual: readonly number[], expected: readonly number[]) =>
  assert.ok(
    actual.length === expected.length && actual.every((value, index) => Math.abs(value - expected[index]!) < 1e-12),
    `expected ${expected.join(', ')}, received ${actual.join(', ')}`,
  );

test('uniform sampling and warm-up give every stitch the same chance', () => {
  const uniform = new Array<number>(7).fill(1 / 7);
  close(stitchProbabilities({ strategy: 'uniform' }, state(9)), uniform);
  close(stitchProbabilities(taskSpecific, state(1)), uniform);
});

test('then bins are uniform, and in a bin the softmax of standardised scores', () => {
  // Scores 1, 3, 2 have mean 2 and deviation sqrt(2/3): z = -1.2247, 1.2247, 0. Three groups: two bins and the anchor.
  const z = Math.sqrt(1.5);
  const total = Math.exp(-z) + Math.exp(z) + 1;
  const first = [Math.exp(-z), Math.exp(z), 1].map((weight) => weight / total / 3);
  close(stitchProbabilities(taskSpecific, state(2)), [...first, 1 / 6, 1 / 6, 1 / 3, 0]);
});

test('the scale and the offset of scores do not matter', () => {
  const changed = { ...scored, scores: scored.scores.map((score) => score && 1e-6 * score + 5) };
  const [a, b] = [scored, changed].map((scores) => stitchProbabilities(taskSpecific, state(5, scores)));
  assert.ok(a!.every((value, id) => Math.abs(value - b![id]!) < 1e-6));
});

test('a stitch without a score counts as the mean of its bin', () => {
  const unknown = { ...scored, scores: scored.scores.with(2, null) };
  const [low, high, mean] = stitchProbabilities(taskSpecific, state(5, unknown));
  assert.ok(low! < mean! && mean! < high!);
  // The known scores 1 and 3 have mean 2 and deviation 1.
  const total = Math.exp(-1) + Math.exp(1) + 1;
  close(
    [low!, high!, mean!],
    [Math.exp(-1), Math.exp(1), 1].map((weight) => weight / total / 3),
  );
  close(
    stitchProbabilities(taskSpecific, state(5, initialImportance(7))),
    [1, 1, 1, 1.5, 1.5, 3, 0].map((w) => w / 9),
  );
});

test('temperature sharpens and flattens', () => {
  const cold = stitchProbabilities({ ...taskSpecific, temperature: 0.01 }, state(5));
  const frozen = stitchProbabilities({ ...taskSpecific, temperature: 1e-4 }, state(5));
  const hot = stitchProbabilities({ ...taskSpecific, temperature: 1e9 }, state(5));
  close(cold.slice(0, 3), [0, 1 / 3, 0]);
  close(frozen.slice(0, 3), [0, 1 / 3, 0]); // e^20000 is no number
  assert.ok(hot.slice(0, 3).every((value) => Math.abs(value - 1 / 9) < 1e-8));
});

test('frequencies of 20000 draws agree with the probabilities', () => {
  const draws = 20_000;
  for (const epoch of [0, 5]) {
    const probabilities = stitchProbabilities(taskSpecific, state(epoch));
    const random = Random.of(0, 'stitches', epoch);
    const counts = new Array<number>(7).fill(0);
    for (let draw = 0; draw < draws; draw++) counts[drawStitches(taskSpecific, state(epoch), random)[0]!]!++;
    const chiSquare = probabilities.reduce((sum, probability, id) => {
      if (probability === 0) {
        assert.equal(counts[id], 0);
        return sum;
      }
      return sum + (counts[id]! - draws * probability) ** 2 / (draws * probability);
    }, 0);
    assert.ok(chiSquare < 22.5, `chi-square ${chiSquare} with at most 6 degrees of freedom: below 22.5 in 999 of 1000`);
  }
});

test('one stitch is one choice of the generator by the probabilities', () => {
  const [drawing, choosing] = [Random.of(4, 'stitches'), Random.of(4, 'stitches')];
  const probabilities = stitchProbabilities(taskSpecific, state(4));
  for (let draw = 0; draw < 50; draw++) {
    assert.deepEqual(drawStitches(taskSpecific, state(4), drawing), [choosing.weighted(probabilities)]);
  }
  assert.deepEqual(drawing.save(), choosing.save());
});

test('several stitches are drawn without repetition, each by what the drawn ones leave', () => {
  // Without scores: 1/9 for each of 0, 1, 2, then 1/6 for 3 and 4, 1/3 for the anchor 5, none for 6.
  const unscored = state(5, initialImportance(7));
  const p = [1 / 9, 1 / 9, 1 / 9, 1 / 6, 1 / 6, 1 / 3, 0];
  const random = Random.of(1, 'stitches');
  const draws = 20_000;
  const counts = new Map<string, number>();
  for (let draw = 0; draw < draws; draw++) {
    const pair = drawStitches(taskSpecific, unscored, random, { count: 2 }).join();
    counts.set(pair, (counts.get(pair) ?? 0) + 1);
  }
  let chiSquare = 0;
  for (let first = 0; first < 6; first++) {
    for (let second = 0; second < 6; second++) {
      if (first === second) continue;
      const expected = (draws * p[first]! * p[second]!) / (1 - p[first]!);
      chiSquare += ((counts.get(`${first},${second}`) ?? 0) - expected) ** 2 / expected;
      counts.delete(`${first},${second}`);
    }
  }
  assert.equal(counts.size, 0, 'no stitch twice, none of probability 0');
  assert.ok(chiSquare < 58.3, `chi-square ${chiSquare} with 29 degrees of freedom: below 58.3 in 999 of 1000`);
});

test('all that can be drawn are drawn where as many are asked for, but the one that is left out', () => {
  const drawn = drawStitches(taskSpecific, state(5), Random.of(0, 'stitches'), { count: 5, without: 5 });
  assert.deepEqual([...drawn].sort(), [0, 1, 2, 3, 4]);
  assert.throws(
    () => drawStitches(taskSpecific, state(5), Random.of(0, 'stitches'), { count: 6, without: 5 }),
    /sampling\.stitches_per_step: expected at most 5, the stitches that can be drawn, received 6/,
  );
});

test('by the sandwich rule the smallest stitch is always there, first, and costs no draw; the others share the rest', () => {
  const [drawing, choosing] = [Random.of(2, 'stitches'), Random.of(2, 'stitches')];
  const rest = stitchProbabilities(taskSpecific, state(5)).with(0, 0).with(5, 0);
  for (let draw = 0; draw < 50; draw++) {
    const drawn = drawStitches(taskSpecific, state(5), drawing, { count: 2, without: 5, always: 0 });
    assert.deepEqual(drawn, [0, choosing.weighted(rest)]);
  }
  assert.deepEqual(drawing.save(), choosing.save());
  const most = drawStitches(taskSpecific, state(5), drawing, { count: 5, without: 5, always: 0 });
  assert.deepEqual([most[0], ...most.slice(1).sort()], [0, 1, 2, 3, 4]);
  assert.throws(
    () => drawStitches(taskSpecific, state(5), drawing, { count: 6, without: 5, always: 0 }),
    /expected at most 5, the stitches that can be drawn, received 6/,
  );
});

test('a restored generator goes on with the same stitches', () => {
  const random = Random.of(3, 'stitches');
  const sequence = (from: Random) => Array.from({ length: 50 }, () => drawStitches(taskSpecific, state(4), from));
  sequence(random);
  const saved = JSON.parse(JSON.stringify({ random: random.save(), importance: scored })) as {
    random: ReturnType<Random['save']>;
    importance: typeof scored;
  };
  const resumed = Random.restore(saved.random);
  const expected = sequence(random);
  assert.deepEqual(
    Array.from({ length: 50 }, () => drawStitches(taskSpecific, state(4, saved.importance), resumed)),
    expected,
  );
});
