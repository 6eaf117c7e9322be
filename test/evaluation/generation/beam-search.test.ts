/** Beam search on a language of three tokens whose probabilities are known, beside trying all texts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TextTokenizer } from '../../../src/data/text/tokenizer.js';
import { beamSearch } from '../../../src/evaluation/generation/beam-search.js';
import { generate } from '../../../src/evaluation/generation/generate.js';
import type { LanguageModel, Reading } from '../../../src/evaluation/generation/language-model.js';
import { greedy } from '../../../src/evaluation/generation/sampling.js';
import { Random } from '../../../src/shared/random.js';

/** a, b and the end: 0, 1, 2. */
const tokenizer = {
  special: { begin: 3, end: [2], padding: 0 },
  encode: () => [3],
  decode: (ids: readonly number[]) => ids.map((id) => 'ab.'[id] ?? '').join(''),
} as unknown as TextTokenizer;

/** Probabilities of the next token after a text, of which the greedy path is not the best one for most seeds. */
function after(text: string, seed: number): number[] {
  const random = Random.of(seed, text);
  const weights = Array.from({ length: 3 }, () => random.uniform() ** 2);
  const total = weights.reduce((sum, weight) => sum + weight);
  return weights.map((weight) => weight / total);
}

function modelOf(seed: number): LanguageModel {
  const readingOf = (texts: readonly string[]): Reading => {
    let seen = texts;
    const readAll: Reading['readAll'] = async (ids) => {
      assert.equal(ids.length, seen.length);
      seen = seen.map((text, index) => text + tokenizer.decode(ids[index]!));
      return Float32Array.from(
        seen.flatMap((text) => after(text, seed)),
        Math.log,
      );
    };
    return {
      length: 0,
      read: (ids) => readAll([ids]),
      readAll,
      select: (places) => readingOf(places.map((place) => seen[place]!)),
      end: () => {},
    };
  };
  return { contextLength: 100, begin: () => readingOf(['']), dispose() {} };
}

/** The text of up to `length` tokens with the highest mean log-probability, the end counted. */
function bestOf(seed: number, length: number) {
  let best = { text: '', score: Number.NEGATIVE_INFINITY };
  const visit = (text: string, sum: number) => {
    const next = after(text, seed).map((probability) => sum + Math.log(probability));
    const offer = (text: string, score: number) => {
      if (score > best.score) best = { text, score };
    };
    offer(text, next[2]! / (text.length + 1));
    for (const [id, letter] of ['a', 'b'].entries()) {
      if (text.length + 1 === length) offer(text + letter, next[id]! / length);
      else visit(text + letter, next[id]!);
    }
  };
  visit('', 0);
  return best.text;
}

test('with as many beams as there are texts it finds the best of all', async () => {
  let different = 0;
  for (let seed = 0; seed < 20; seed++) {
    const found = await beamSearch(modelOf(seed), tokenizer, '', { beams: 40, maxTokens: 4 });
    assert.equal(found.text, bestOf(seed, 4), `seed ${seed}`);
    const options = { sampling: greedy, maxTokens: 4, random: Random.of(0, 'x') };
    if ((await generate(modelOf(seed), tokenizer, '', options)).text !== found.text) different++;
  }
  assert.ok(different > 0, 'greedy texts are others');
});

test('one beam is greedy', async () => {
  for (let seed = 0; seed < 20; seed++) {
    const options = { sampling: greedy, maxTokens: 4, random: Random.of(0, 'x') };
    const { text, stopped } = await generate(modelOf(seed), tokenizer, '', options);
    const found = await beamSearch(modelOf(seed), tokenizer, '', { beams: 1, maxTokens: 4 });
    assert.deepEqual([found.text, found.stopped], [text, stopped], `seed ${seed}`);
  }
});

test('two beams end where nothing can become better, and Ctrl-C gives what there is', async () => {
  const found = await beamSearch(modelOf(1), tokenizer, '', { beams: 2, maxTokens: 50 });
  assert.ok(found.tokens < 50);
  const stopped = await beamSearch(modelOf(1), tokenizer, '', { beams: 2, maxTokens: 9, signal: AbortSignal.abort() });
  assert.deepEqual([stopped.text, stopped.stopped], ['', 'interrupted']);
});
