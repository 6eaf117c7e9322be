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

function modelOf(seed: number, next = (text: string) => after(text, seed)): LanguageModel {
  const readingOf = (texts: readonly string[]): Reading => {
    let seen = texts;
    const readAll: Reading['readAll'] = async (ids) => {
      assert.equal(ids.length, seen.length);
      seen = seen.map((text, index) => text + tokenizer.decode(ids[index]!));
      return Float32Array.from(
        seen.flatMap((text) => next(text)),
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

// transformers/generation/beam_search.py, BeamSearchScorer.process: is_beam_token_worse_than_top_num_beams.
test('an end that is worse than as many continuations as there are beams does not count', async () => {
  // Of two letters the best are "a." (0.255), "aa" (0.230), "b." (0.221), "bb" (0.196): two ends, of which the second does
  // not count. With it two texts had ended when "aaa" is at ln 0.078 / 3 = -0.85, below both: nothing would go on to
  // "aaaa.", which has ln 0.075 / 5 = -0.52 where "a." has ln 0.255 / 2 = -0.68.
  const table: Readonly<Record<string, number[]>> = {
    '': [0.49, 0.49, 0.02],
    a: [0.47, 0.01, 0.52],
    b: [0.15, 0.4, 0.45],
    aaa: [0.98, 0.01, 0.01],
    aaaa: [0.01, 0.01, 0.98],
  };
  const model = modelOf(0, (text) => table[text] ?? [0.34, 0.33, 0.33]);
  const { text, stopped } = await beamSearch(model, tokenizer, '', { beams: 2, maxTokens: 5 });
  assert.deepEqual([text, stopped], ['aaaa', 'end']);
});

test('an end takes no place of a beginning: twice as many continuations are looked at', async () => {
  // The end is first, a second, b third; b then ends: (ln 0.25 + ln 0.98) / 2 = -0.70, the first end has ln 0.4 = -0.92.
  const table: Readonly<Record<string, number[]>> = { '': [0.35, 0.25, 0.4], b: [0.01, 0.01, 0.98] };
  const model = modelOf(0, (text) => table[text] ?? [0.34, 0.33, 0.33]);
  const { text, stopped } = await beamSearch(model, tokenizer, '', { beams: 2, maxTokens: 5 });
  assert.deepEqual([text, stopped], ['b', 'end']);
});

test('two beams end where nothing can become better, and Ctrl-C gives what there is', async () => {
  const found = await beamSearch(modelOf(1), tokenizer, '', { beams: 2, maxTokens: 50 });
  assert.ok(found.tokens < 50);
  const stopped = await beamSearch(modelOf(1), tokenizer, '', { beams: 2, maxTokens: 9, signal: AbortSignal.abort() });
  assert.deepEqual([stopped.text, stopped.stopped], ['', 'interrupted']);
});
