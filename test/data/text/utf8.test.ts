/** Text that is UTF-8, and what is not. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { readUtf8 } from '../../../src/data/text/utf8.js';
import { temporaryFolder } from '../official/temporary-folder.js';

test('a byte order mark is left out; other encodings and files that are not there are refused', async (t) => {
  const folder = await temporaryFolder(t);
  const read = async (name: string, content: Buffer) => {
    await writeFile(path.join(folder, name), content);
    return readUtf8(path.join(folder, name), 'Give one.');
  };
  assert.equal(await read('a', Buffer.from('\ufeffcaf\u00e9')), 'caf\u00e9');
  for (const encoding of ['latin1', 'utf16le'] as const) {
    await assert.rejects(read(encoding, Buffer.from('\ufeffcaf\u00e9', encoding)), {
      ...{ name: 'RequestError', message: `${path.join(folder, encoding)} is not UTF-8`, hint: /^Save it as UTF-8/ },
    });
  }
  await assert.rejects(readUtf8('/nowhere/a.txt', 'Give one.'), {
    ...{ name: 'RequestError', message: '/nowhere/a.txt cannot be read (ENOENT)', hint: 'Give one.' },
  });
});
