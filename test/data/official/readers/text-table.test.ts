/** Lists of lines. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import {
  checkRange,
  readImageList,
  readLines,
  readTable,
  toInteger,
} from '../../../../src/data/official/readers/text-table.js';
import { temporaryFolder } from '../temporary-folder.js';

test('a byte order mark, ends of lines and empty lines are no part of a line', async (t) => {
  const file = path.join(await temporaryFolder(t), 'a.txt');
  await writeFile(file, '\ufeffone\r\n\r\n two\n');
  assert.deepEqual(await readLines(file), ['one', ' two']);
});

test('a table is split at the first space, a list of images at the last; ids are unique, labels in their range', async (t) => {
  const file = path.join(await temporaryFolder(t), 'a.txt');
  const tableOf = async (text: string) => {
    await writeFile(file, text);
    return [...(await readTable(file))];
  };
  assert.deepEqual(await tableOf('1 001.Black Footed \n2 b\n'), [
    ['1', '001.Black Footed'],
    ['2', 'b'],
  ]);
  await assert.rejects(tableOf('1 a\n1 b\n'), /record 2: the id 1 occurs twice/);
  for (const line of ['alone', ' a']) await assert.rejects(tableOf(line), /record 1: expected '<id> <value>'/);
  const listOf = async (text: string) => {
    await writeFile(file, text);
    return readImageList(file, 'base', 3);
  };
  assert.deepEqual(await listOf('a b/1.jpg 0\n2.jpg 2 \n'), [
    { file: path.join('base', 'a b/1.jpg'), label: 0 },
    { file: path.join('base', '2.jpg'), label: 2 },
  ]);
  for (const line of ['1.jpg', ' 1']) await assert.rejects(listOf(line), /record 1: expected '<path> <label>'/);
  await assert.rejects(listOf('1.jpg 0\n2.jpg 3\n'), /record 2: 3 is out of range, allowed are 0 to 2/);
  await assert.rejects(listOf('1.jpg 1.5'), /record 1: expected a whole number, found "1.5"/);
});

test('whole numbers, zero-padded ones too, and nothing else', () => {
  for (const [value, number] of [
    ['007', 7],
    [' 12 ', 12],
    ['0', 0],
    [3, 3],
  ] as const) {
    assert.equal(toInteger(value, 'x'), number);
  }
  for (const value of ['', 'a', '1.5', '-1', '1e3', 1.5, Number.NaN, null, undefined, [1]]) {
    assert.throws(() => toInteger(value, 'line 3'), /^RequestError: line 3: expected a whole number, found/);
  }
  for (const value of [1, 3]) checkRange(value, 1, 3, 'x');
  for (const value of [0, 4, 1.5]) assert.throws(() => checkRange(value, 1, 3, 'x'), /allowed are 1 to 3/);
});
