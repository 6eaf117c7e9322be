/** Frequencies of what is drawn against probabilities worked out by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseToken, greedy, type SamplingOptions } from '../../../src/evaluation/generation/sampling.js';
import { Random } from '../../../src/shared/random.js';

/** Probabilities 0.1, 0.4, 0.2, 0.3. */
const logits = Float32Array.from([0.1, 0.4, 0.2, 0.3], Math.log);
const all: SamplingOptions = { temperature: 1, topK: 0, topP: 1 };
const draws = 20_000;

/** Three deviations of a frequency near 1 / 2. */
const tolerance = (3 * 0.5) / Math.sqrt(draws);

function assertFrequencies(options: SamplingOptions, expected: readonly number[]): void {
  const random = Random.of(0, 'sampling');
  const counts = [0, 0, 0, 0];
  for (let draw = 0; draw < draws; draw++) counts[chooseToken(logits, options, random)]!++;
  for (const [id, probability] of expected.entries()) {
    const frequency = counts[id]! / draws;
    if (probability === 0) assert.equal(counts[id], 0);
    assert.ok(Math.abs(frequency - probability) < tolerance, `${id}: ${frequency}, expected ${probability}`);
  }
}

test('greedy takes the best token', () => {
  assert.equal(chooseToken(logits, greedy, Random.of(0, 'sampling')), 1);
});

test('temperature 1 draws by probability, 0.5 by its square', () => {
  assertFrequencies(all, [0.1, 0.4, 0.2, 0.3]);
  assertFrequencies({ ...all, temperature: 0.5 }, [1 / 30, 16 / 30, 4 / 30, 9 / 30]);
});

test('top-k keeps the k best', () => {
  assertFrequencies({ ...all, topK: 2 }, [0, 4 / 7, 0, 3 / 7]);
});

test('top-p keeps the best until their sum reaches p, the last one included', () => {
  assertFrequencies({ ...all, topP: 0.65 }, [0, 4 / 7, 0, 3 / 7]);
  assertFrequencies({ ...all, topP: 0.75 }, [0, 4 / 9, 2 / 9, 3 / 9]);
  assertFrequencies({ ...all, topP: 0.1 }, [0, 1, 0, 0]);
});

test('top-p counts among what top-k keeps', () => {
  assertFrequencies({ ...all, topK: 3, topP: 0.75 }, [0, 4 / 7, 0, 3 / 7]);
  assert.equal(chooseToken(Float32Array.of(0, 5, 5), greedy, Random.of(0, 'sampling')), 1, 'the first of equal ones');
});
