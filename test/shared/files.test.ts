import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { lstat, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { appendJsonLine, keepJsonLines, readJson, readJsonLines, writeAtomic } from '../../src/shared/files.js';
import { temporaryFolder } from '../models/pretrained/fixtures.js';

test('a name that cannot be a file is refused, and nothing is left beside it', async (t) => {
  const folder = temporaryFolder(t);
  const [file, taken] = [path.join(folder, 'file'), path.join(folder, 'taken')];
  await writeFile(file, 'of before');
  await mkdir(taken);
  await assert.rejects(writeAtomic(taken, 'new'), {
    ...{ name: 'RequestError', message: `${taken} is a folder, and would be a file`, hint: /taken[\\/]NAME$/ },
  });
  await assert.rejects(writeAtomic(path.join(folder, 'new', path.sep), 'new'), {
    message: /is a folder, and would be/,
  });
  await assert.rejects(writeAtomic(path.join(file, 'below'), 'new'), {
    ...{ name: 'RequestError', message: `${file} cannot be a folder: it, or a part of its path, is a file` },
  });
  assert.deepEqual((await readdir(folder)).sort(), ['file', 'taken']);
  assert.equal(await readFile(file, 'utf8'), 'of before');
});

test('what a link leads to is replaced, a pipe is refused, and so are a link to nothing and names too long', async (t) => {
  const folder = temporaryFolder(t);
  const at = (name: string) => path.join(folder, name);
  await writeFile(at('real'), 'of before');
  await symlink('real', at('link'));
  await writeAtomic(at('link'), 'new');
  assert.equal(await readFile(at('real'), 'utf8'), 'new');
  assert.ok((await lstat(at('link'))).isSymbolicLink());
  execFileSync('mkfifo', [at('pipe')]);
  await assert.rejects(writeAtomic(at('pipe'), 'new'), { name: 'RequestError', message: /pipe is a device, a pipe/ });
  assert.ok((await lstat(at('pipe'))).isFIFO());
  await assert.rejects(writeAtomic('/dev/null', 'new'), { message: /^\/dev\/null is a device/ });
  await symlink('nowhere', at('gone'));
  await assert.rejects(writeAtomic(at('gone'), 'new'), { message: /gone is a link that leads nowhere$/ });
  await assert.rejects(writeAtomic(path.join(at('gone'), 'below'), 'new'), {
    ...{ name: 'RequestError', message: /gone is not there: .* a link that leads nowhere$/ },
  });
  await assert.rejects(writeAtomic(at('x'.repeat(300)), 'new'), { name: 'RequestError', message: /longer than/ });
});

test('JSON that Windows has marked as UTF-8 is read', async (t) => {
  const file = path.join(temporaryFolder(t), 'a.json');
  await writeFile(file, '\ufeff{"a": 1}');
  assert.deepEqual(await readJson(file), { a: 1 });
});

test('a folder in the place of JSON is refused', async (t) => {
  const message = /cannot be read \(EISDIR\)/;
  await assert.rejects(readJson(temporaryFolder(t)), {
    name: 'RequestError',
    message,
    hint: 'Give the file, not the folder.',
  });
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
