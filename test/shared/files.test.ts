import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { appendJsonLine, keepJsonLines, readJsonLines, writeAtomic } from '../../src/shared/files.js';
import { temporaryFolder } from '../models/pretrained/fixtures.js';

test('a name that cannot be a file is refused, and nothing is left beside it', async (t) => {
  const folder = temporaryFolder(t);
  const [file, taken] = [path.join(folder, 'file'), path.join(folder, 'taken')];
  await writeFile(file, 'of before');
  await mkdir(taken);
  await assert.rejects(writeAtomic(taken, 'new'), {
    ...{ name: 'RequestError', message: `${taken} is a folder, and would be a file`, hint: /taken[\\/]NAME$/ },
  });
  await assert.rejects(writeAtomic(path.join(file, 'below'), 'new'), {
    ...{ name: 'RequestError', message: `${file} cannot be a folder: it, or a part of its path, is a file` },
  });
  assert.deepEqual((await readdir(folder)).sort(), ['file', 'taken']);
  assert.equal(await readFile(file, 'utf8'), 'of before');
});

test('lines that a power loss has damaged are dropped at the end, and refused before others', async (t) => {
  const file = path.join(temporaryFolder(t), 'metrics.jsonl');
  assert.deepEqual(await readJsonLines(file), []);
  for (const epoch of [1, 2]) await appendJsonLine(file, { epoch });
  const whole = await readFile(file, 'utf8');
  await writeFile(file, `${whole}\0\0\0\n{"epo`);
  assert.deepEqual(await readJsonLines(file), [{ epoch: 1 }, { epoch: 2 }]);
  await keepJsonLines(file, () => true); // as a training that goes on does
  assert.equal(await readFile(file, 'utf8'), whole);
  await writeFile(file, `{"epoch":1}\n\0\n{"epoch":3}\n`);
  await assert.rejects(readJsonLines(file), {
    ...{ name: 'RequestError', message: `${file}, line 2 is no JSON, and others follow it` },
  });
});
