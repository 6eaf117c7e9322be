/** The tokenizer beside an exported network replaces no other one. */
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { tokenizerBeside } from '../../../../src/experiment/text/export/tokenizer-file.js';
import { temporaryFolder } from '../../../data/official/temporary-folder.js';

test('it is copied once, left where it is the same or lies there already, and refused where it is another', async (t) => {
  const folder = await temporaryFolder(t);
  const [source, out] = ['source', 'out'].map((name) => path.join(folder, name)) as [string, string];
  for (const each of [source, out]) await mkdir(each);
  await writeFile(path.join(source, 'tokenizer.model'), 'pieces');
  const older = await tokenizerBeside(source, path.join(out, 'stitch.onnx'));
  assert.equal(older.file, path.join(out, 'tokenizer.model'));

  await writeFile(path.join(source, 'tokenizer.json'), 'one');
  for (const exported of ['stitch.onnx', 'other.onnx']) {
    const { file, copy } = await tokenizerBeside(source, path.join(out, exported));
    await copy();
    assert.equal(file, path.join(out, 'tokenizer.json'));
    assert.equal(await readFile(file, 'utf8'), 'one');
  }
  const same = await tokenizerBeside(source, path.join(source, 'stitch.onnx'));
  await same.copy();
  assert.equal(await readFile(same.file, 'utf8'), 'one');

  await writeFile(path.join(out, 'tokenizer.json'), 'two');
  await assert.rejects(tokenizerBeside(source, path.join(out, 'stitch.onnx')), {
    name: 'RequestError',
    message: `${path.join(out, 'tokenizer.json')} is another tokenizer than that of the network, and is not replaced`,
    hint: /Give --out a folder of its own/,
  });
  await assert.rejects(tokenizerBeside(source, path.join(folder, 'tokenizer.onnx')), {
    message: /its description would be tokenizer.json, and so would the tokenizer$/,
  });
});
