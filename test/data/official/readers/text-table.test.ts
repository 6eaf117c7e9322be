/** Lists of lines. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { readLines } from '../../../../src/data/official/readers/text-table.js';
import { temporaryFolder } from '../temporary-folder.js';

test('a byte order mark, ends of lines and empty lines are no part of a line', async (t) => {
  const file = path.join(await temporaryFolder(t), 'a.txt');
  await writeFile(file, '\ufeffone\r\n\r\n two\n');
  assert.deepEqual(await readLines(file), ['one', ' two']);
});
