/** Token ids and labels on a tokenizer whose tokens are single characters, counted by hand. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { promptOf } from '../../../src/data/instructions/template.js';
import { tokenise } from '../../../src/data/instructions/tokenise.js';
import { ignoredLabel } from '../../../src/data/text/tokenised-text.js';
import { TextTokenizer } from '../../../src/data/text/tokenizer.js';

const example = { instruction: 'Add.', input: '', output: 'ok' };
const characters = [...new Set(`▁${promptOf(example)}${example.output}`.replaceAll(' ', '▁'))];
const idOf = (character: string) => characters.indexOf(character === ' ' ? '▁' : character) + 3;

/** A normalizer puts the mark of a space in front, as LLaMA's. */
const json = {
  normalizer: {
    type: 'Sequence',
    normalizers: [
      { type: 'Prepend', prepend: '▁' },
      { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
    ],
  },
  pre_tokenizer: null,
  post_processor: null,
  decoder: null,
  added_tokens: ['<unk>', '<s>', '</s>'].map((content, id) => ({ id, content, special: true, normalized: false })),
  model: {
    type: 'BPE',
    vocab: Object.fromEntries(['<unk>', '<s>', '</s>', ...characters].map((token, id) => [token, id])),
    merges: [],
    unk_token: '<unk>',
  },
};

const folder = await mkdtemp(path.join(tmpdir(), 'esta-tokenise-'));
after(() => rm(folder, { recursive: true }));
await writeFile(path.join(folder, 'tokenizer.json'), JSON.stringify(json));
const tokenizer = await TextTokenizer.open(folder);

const prompt = promptOf(example);
/** Begin, the mark in front, and the prompt. */
const given = 2 + prompt.length;
const whole = [1, idOf('▁'), ...[...prompt].map(idOf), idOf('o'), idOf('k'), 2];

test('begin, prompt, answer, end: all of it is learned', () => {
  // 47 of the task, 58 of the request, 19 and 4 of the instruction, 16 of the response.
  assert.equal(prompt.length, 144);
  assert.deepEqual(tokenise(example, tokenizer), { ids: whole, labels: whole });
});

test('or the answer and the end alone', () => {
  const { ids, labels } = tokenise(example, tokenizer, { trainOnInputs: false });
  assert.deepEqual(ids, whole);
  assert.deepEqual(labels, [...Array(given).fill(ignoredLabel), idOf('o'), idOf('k'), 2]);
  assert.equal(ignoredLabel, -100);
});

test('what is longer is cut off, and has no end then', () => {
  assert.deepEqual(tokenise(example, tokenizer, { cutoff: whole.length - 1 }).ids, whole.slice(0, -1));
  assert.deepEqual(tokenise(example, tokenizer, { cutoff: whole.length - 2 }).ids, whole.slice(0, -2));
  const { labels } = tokenise(example, tokenizer, { cutoff: 10, trainOnInputs: false });
  assert.deepEqual(labels, Array(10).fill(ignoredLabel), 'nothing is left to learn');
  const long = { ...example, output: 'o'.repeat(300) };
  assert.equal(tokenise(long, tokenizer).ids.length, 256, 'as many as alpaca-lora takes');
});

test('an answer that ends with the end token gets no second one', () => {
  assert.deepEqual(tokenise({ ...example, output: 'ok</s>' }, tokenizer).ids, whole);
});
