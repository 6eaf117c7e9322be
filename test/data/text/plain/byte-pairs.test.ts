/** A vocabulary counted by hand, and the text that its tokenizer gives back. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { tokenizerJsonFrom } from '../../../../src/data/text/pieces.js';
import { learnBytePairs } from '../../../../src/data/text/plain/byte-pairs.js';
import { readPlainText, sequencesOf } from '../../../../src/data/text/plain/plain-text.js';
import { TextTokenizer } from '../../../../src/data/text/tokenizer.js';
import { RequestError } from '../../../../src/shared/errors.js';
import { temporaryFolder } from '../../../models/pretrained/fixtures.js';

// "_ab" 3 times, "_abc" 2 times, "_c" once: a-b and _-a are met 5 times, of which "a b" comes first.
const text = 'ab ab ab abc abc c';

test('the most frequent pair is merged first, of equally frequent ones the first by its characters', () => {
  const { pieces, addsPrefix } = learnBytePairs(text, 259 + 4 + 3);
  assert.equal(addsPrefix, true);
  assert.deepEqual(
    pieces.slice(0, 4).map((piece) => piece.text),
    ['<unk>', '<s>', '</s>', '<0x00>'],
  );
  assert.equal(pieces[258]!.text, '<0xFF>');
  assert.deepEqual(
    pieces.slice(259).map((piece) => piece.text),
    ['ab', '▁ab', '▁abc', 'a', 'b', 'c', '▁'],
  );
  // No pair of a word is left after these: the vocabulary stays smaller than asked for.
  assert.equal(learnBytePairs(text, 1000).pieces.length, 259 + 4 + 4);
  assert.throws(() => learnBytePairs(text, 262), /data\.vocabulary: expected at least 263/);
});

test('sequences hold the whole text, the begin token in front of each; every n-th is for validation', async (t) => {
  const folder = temporaryFolder(t);
  const pieces = learnBytePairs(text, 266);
  await writeFile(path.join(folder, 'tokenizer.json'), JSON.stringify(tokenizerJsonFrom(pieces)));
  await writeFile(path.join(folder, 'b.txt'), `${text}\nc ab é`);
  await writeFile(path.join(folder, 'notes.md'), 'no text');
  const tokenizer = await TextTokenizer.open(folder);
  const texts = await readPlainText(folder);
  assert.deepEqual(
    texts.map(({ file }) => path.basename(file)),
    ['b.txt'],
  );
  const { train, validation } = sequencesOf(texts, tokenizer, 4, 0.5);
  // _ab _ab _ab _abc _abc _ c, a new line, _-less c _ab and _ with the two bytes of é: 7 + 1 + 5 tokens, 12 in sequences.
  assert.deepEqual([train.length, validation.length], [2, 2]);
  const joined = [train[0]!, validation[0]!, train[1]!, validation[1]!].flatMap(({ ids }) => ids.slice(1));
  assert.equal(tokenizer.decode(joined.slice(0, 8)), `${text}\n`);
  for (const { ids, labels } of [...train, ...validation]) {
    assert.equal(ids[0], 1);
    assert.deepEqual(labels, ids);
  }
  assert.throws(() => sequencesOf(texts, tokenizer, 12, 0.5), RequestError);
  await writeFile(path.join(folder, 'a.txt'), Buffer.from([0xff, 0xfe]));
  await assert.rejects(readPlainText(folder), /a\.txt is not UTF-8/);
});
