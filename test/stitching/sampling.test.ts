import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Random } from '../../src/shared/random.js';
import { initialImportance, updateImportance } from '../../src/stitching/importance.js';
import { drawStitch, type Sampling, type SamplingState, stitchProbabilities } from '../../src/stitching/sampling.js';
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
  close(
    stitchProbabilities(taskSpecific, state(5, initialImportance(7))),
    [1, 1, 1, 1.5, 1.5, 3, 0].map((w) => w / 9),
  );
});

test('temperature sharpens and flattens', () => {
  const cold = stitchProbabilities({ ...taskSpecific, temperature: 0.01 }, state(5));
  const hot = stitchProbabilities({ ...taskSpecific, temperature: 1e9 }, state(5));
  close(cold.slice(0, 3), [0, 1 / 3, 0]);
  assert.ok(hot.slice(0, 3).every((value) => Math.abs(value - 1 / 9) < 1e-8));
});

test('frequencies of 20000 draws agree with the probabilities', () => {
  const draws = 20_000;
  for (const epoch of [0, 5]) {
    const probabilities = stitchProbabilities(taskSpecific, state(epoch));
    const random = Random.of(0, 'stitches', epoch);
    const counts = new Array<number>(7).fill(0);
    for (let draw = 0; draw < draws; draw++) counts[drawStitch(taskSpecific, state(epoch), random)]!++;
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

test('a restored generator goes on with the same stitches', () => {
  const random = Random.of(3, 'stitches');
  const sequence = (from: Random) => Array.from({ length: 50 }, () => drawStitch(taskSpecific, state(4), from));
  sequence(random);
  const saved = JSON.parse(JSON.stringify({ random: random.save(), importance: scored })) as {
    random: ReturnType<Random['save']>;
    importance: typeof scored;
  };
  const resumed = Random.restore(saved.random);
  const expected = sequence(random);
  assert.deepEqual(
    Array.from({ length: 50 }, () => drawStitch(taskSpecific, state(4, saved.importance), resumed)),
    expected,
  );
});
