/** The fingerprint of weights follows their contents, not their names. */
import assert from 'node:assert/strict';
import { copyFile, open, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { weightsFingerprint } from '../../../../src/models/pretrained/sources/weights-fingerprint.js';
import { RequestError } from '../../../../src/shared/errors.js';
import { temporaryFolder } from '../fixtures.js';

test('a copy has the same fingerprint; one other byte or another length gives another', async (t) => {
  const folder = temporaryFolder(t);
  const file = path.join(folder, 'a.safetensors');
  const bytes = Buffer.alloc(3_000_000, 'weights');
  await writeFile(file, bytes);
  const first = await weightsFingerprint(file, 'vit_mini_tiny');
  assert.match(first, /^[0-9a-f]{16}$/);
  const other = path.join(folder, 'b.safetensors');
  await copyFile(file, other);
  assert.equal(await weightsFingerprint(other, 'vit_mini_tiny'), first);
  for (const at of [0, 1_048_576, bytes.length - 1]) {
    const changed = Buffer.from(bytes);
    changed[at]! ^= 1;
    await writeFile(other, changed);
    assert.notEqual(await weightsFingerprint(other, 'vit_mini_tiny'), first, `byte ${at}`);
  }
  await writeFile(other, bytes.subarray(0, -1));
  assert.notEqual(await weightsFingerprint(other, 'vit_mini_tiny'), first);
  const all = new Set(['vit_mini_tiny', 'vit_mini_small'].map((name) => weightsFingerprint('embedded', name)));
  assert.equal(new Set(await Promise.all(all)).size, 2);
  await assert.rejects(weightsFingerprint(path.join(folder, 'c.safetensors'), 'vit_mini_tiny'), (error) => {
    return error instanceof RequestError && /weights .*c\.safetensors are not there/.test(error.message);
  });
});

test('of a large file head, tail, size and sampled ranges count', async (t) => {
  const file = path.join(temporaryFolder(t), 'large.safetensors');
  const size = 200 * 2 ** 20;
  const handle = await open(file, 'w');
  t.after(() => handle.close());
  await handle.truncate(size); // sparse: it takes no room on the disk
  const seen = new Set([await weightsFingerprint(file, 'vit_mini_tiny')]);
  for (const at of [5, size - 5, Math.floor((size / 64) * 40) + 1000]) {
    await handle.write(Buffer.from([1]), 0, 1, at);
    seen.add(await weightsFingerprint(file, 'vit_mini_tiny'));
  }
  await handle.truncate(size + 1);
  seen.add(await weightsFingerprint(file, 'vit_mini_tiny'));
  assert.equal(seen.size, 5);
});
