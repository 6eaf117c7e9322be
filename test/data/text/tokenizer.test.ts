/**
 * Token ids against SentencePiece itself (fixture: test/fixtures/make-text.py) and against the published examples of
 * LLaMA's tokenizer in transformers (tests/models/llama/test_tokenization_llama.py).
 */
import assert from 'node:assert/strict';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { crc32 } from 'node:zlib';
import { tokenizerJsonFrom } from '../../../src/data/text/pieces.js';
import { readSentencePieceModel } from '../../../src/data/text/sentencepiece-model.js';
import { TextTokenizer } from '../../../src/data/text/tokenizer.js';
import { RequestError } from '../../../src/shared/errors.js';
import { fixture } from '../../fixture.js';
import { testData, whereThereIs } from '../../test-data.js';
import { temporaryFolder } from '../official/temporary-folder.js';

const expected = JSON.parse(await readFile(fixture('text/ids.json'), 'utf8')) as {
  texts: { text: string; ids: number[] }[];
  llama: number[];
};

async function folderWith(context: TestContext, model: string): Promise<string> {
  const folder = await temporaryFolder(context);
  await copyFile(fixture(`text/${model}`), path.join(folder, 'tokenizer.model'));
  return folder;
}

test('a SentencePiece model gives the ids of SentencePiece, and the text back', async (t) => {
  const tokenizer = await TextTokenizer.open(await folderWith(t, 'bpe.model'));
  for (const { text, ids } of expected.texts) {
    assert.deepEqual(tokenizer.encode(text, { begin: false }), ids, JSON.stringify(text));
    // U+2581 stands for a space in the vocabulary: it cannot come back.
    assert.equal(tokenizer.decode(ids), text.replaceAll('\u2581', ' '), JSON.stringify(text));
  }
  assert.equal(tokenizer.size, 420);
});

test('a tokenizer.json is preferred, and gives the same', async (t) => {
  const folder = await folderWith(t, 'unigram.model');
  const json = tokenizerJsonFrom(await readSentencePieceModel(fixture('text/bpe.model')));
  await writeFile(path.join(folder, 'tokenizer.json'), JSON.stringify(json));
  const tokenizer = await TextTokenizer.open(folder);
  for (const { text, ids } of expected.texts) assert.deepEqual(tokenizer.encode(text, { begin: false }), ids);
});

test('special tokens: begin in front once, none in the text that comes back; wrong ids of config.json do not count', async (t) => {
  const tokenizer = await TextTokenizer.open(await folderWith(t, 'bpe.model'), { begin: 0, end: [1] });
  assert.deepEqual(tokenizer.special, { begin: 1, end: [2], padding: 0 });
  assert.deepEqual(tokenizer.encode(''), [1]);
  const [first, second] = tokenizer.encode('x');
  assert.equal(first, 1);
  assert.notEqual(second, 1);
  assert.equal(tokenizer.decode([1, ...tokenizer.encode('two words', { begin: false }), 2]), 'two words');
  assert.deepEqual(tokenizer.encode('</s>', { begin: false }), [2], 'written out it is the token');
});

test('what config.json ends a text by ends it beside </s>, which is written in training', async (t) => {
  const tokenizer = await TextTokenizer.open(await folderWith(t, 'bpe.model'), { begin: 1, end: [300, 2, 1, 0] });
  assert.deepEqual(tokenizer.special.end, [2, 300]);
});

test('refused: tokens of config.json that the vocabulary does not have', async (t) => {
  const folder = await temporaryFolder(t);
  const json = JSON.stringify(tokenizerJsonFrom(await readSentencePieceModel(fixture('text/bpe.model'))));
  await writeFile(path.join(folder, 'tokenizer.json'), json.replaceAll('"<s>"', '"[s]"').replaceAll('"</s>"', '"[e]"'));
  const { special } = await TextTokenizer.open(folder, { begin: 1, end: [2, 9999] });
  assert.deepEqual(special, { begin: 1, end: [2, 9999], padding: 0 });
  for (const configured of [
    { begin: 420, end: [2] },
    { begin: 1, end: [420] },
  ]) {
    await assert.rejects(TextTokenizer.open(folder, configured), /has no token 420, with which texts begin or end/);
  }
});

test('refused: no tokenizer, a unigram model, a damaged one', async (t) => {
  const empty = await temporaryFolder(t);
  const refusal = (message: RegExp) => (error: unknown) => error instanceof RequestError && message.test(error.message);
  await assert.rejects(TextTokenizer.open(empty), refusal(/neither tokenizer.json nor tokenizer.model/));
  await assert.rejects(TextTokenizer.open(await folderWith(t, 'unigram.model')), refusal(/is a unigram model/));
  const damaged = path.join(empty, 'tokenizer.model');
  await writeFile(damaged, (await readFile(fixture('text/bpe.model'))).subarray(0, 100));
  await assert.rejects(TextTokenizer.open(empty), refusal(/is not a SentencePiece model: a field runs over the end/));
});

test('LLaMA: the published examples', whereThereIs('llama/tokenizer.model'), async () => {
  const tokenizer = await TextTokenizer.open(testData('llama'));
  assert.deepEqual(tokenizer.encode('Hello this is a test'), [1, 15043, 445, 338, 263, 1243]);
  // The byte order mark is a piece of its own.
  assert.deepEqual(tokenizer.encode('\ufeffabc'), [1, 29871, 30143, 10736]);
  assert.equal(tokenizer.decode([30143]), '\ufeff');
  assert.deepEqual(tokenizer.encode('Hello <s>.'), [1, 15043, 29871, 1, 869]);
  assert.equal(tokenizer.size, 32000);
});

test(
  'LLaMA: 1,000 real texts give the ids of SentencePiece',
  whereThereIs('llama/tokenizer.model', 'instructions/alpaca_en_demo.json'),
  async () => {
    const tokenizer = await TextTokenizer.open(testData('llama'));
    const rows = JSON.parse(await readFile(testData('instructions/alpaca_en_demo.json'), 'utf8')) as Record<
      'instruction' | 'input' | 'output',
      string
    >[];
    const texts = rows.flatMap(({ instruction, input, output }) => [instruction, input, output]).filter(Boolean);
    for (const [index, checksum] of expected.llama.entries()) {
      const ids = tokenizer.encode(texts[index]!, { begin: false });
      assert.equal(crc32(Buffer.from(ids.join(','))), checksum, texts[index]);
    }
    assert.equal(expected.llama.length, 1000);
  },
);
