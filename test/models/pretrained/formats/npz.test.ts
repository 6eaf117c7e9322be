import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { openNpz } from '../../../../src/models/pretrained/formats/npz.js';
import { float32 } from '../../../../src/shared/arrays.js';
import { fixture, fixtureJson, requestError, temporaryFolder } from '../fixtures.js';

const arrays = fixtureJson<Record<string, { shape: number[]; data: number[] }>>('arrays.json');

/** The archive of all types with its bytes changed. */
function changed(t: TestContext, change: (bytes: Buffer) => Buffer): string {
  const file = path.join(temporaryFolder(t), 'changed.npz');
  writeFileSync(file, change(readFileSync(fixture('arrays.npz'))));
  return file;
}

for (const name of ['arrays.npz', 'arrays-deflated.npz']) {
  test(`reads every type of weights and order of ${name}; whole numbers are none`, async () => {
    const archive = await openNpz(fixture(name));
    try {
      assert.deepEqual([...archive.names].sort(), Object.keys(arrays).sort());
      for (const [array, { shape, data }] of Object.entries(arrays)) {
        if (/int/.test(array)) {
          const reason = new RegExp(`array ${array} cannot be read: .*, which is not supported`);
          await assert.rejects(archive.read(array), requestError(reason, /codes of a quantised network/));
          continue;
        }
        assert.deepEqual(await archive.read(array), float32(shape, Float32Array.from(data)), array);
      }
      await assert.rejects(archive.read('nothing'), requestError(/has no array nothing/));
    } finally {
      await archive.close();
    }
  });
}

test('reads all versions of the npy format', async () => {
  const archive = await openNpz(fixture('arrays-versions.npz'));
  const { shape, data } = arrays['nested/float32']!;
  for (const version of [1, 2, 3]) {
    assert.deepEqual(await archive.read(`version${version}`), float32(shape, Float32Array.from(data)));
  }
  await archive.close();
});

test('never reads Python objects', async () => {
  const archive = await openNpz(fixture('arrays-objects.npz'));
  await assert.rejects(archive.read('objects'), requestError(/array objects .*Python objects, which are never read/));
  await assert.rejects(archive.read('strings'), requestError(/array strings .*<U2.*not supported/));
  await archive.close();
});

test('refuses an archive that is cut, empty or missing', async (t) => {
  for (const length of [0, 10, 1500, -1]) {
    const file = changed(t, (bytes) => bytes.subarray(0, length));
    await assert.rejects(openNpz(file), requestError(/changed\.npz is not a valid npz archive/, /copy it again/));
  }
  await assert.rejects(openNpz('/nowhere/x.npz'), requestError(/\/nowhere\/x\.npz does not exist/));
});

test('refuses two arrays of one name', async (t) => {
  const file = changed(t, (bytes) =>
    Buffer.from(bytes.toString('latin1').replaceAll('uint8.npy', 'int32.npy'), 'latin1'),
  );
  await assert.rejects(openNpz(file), requestError(/two arrays are named int32/));
});

test('refuses an array whose bytes were damaged', async (t) => {
  const file = changed(t, (bytes) => {
    const at = bytes.indexOf('float64.npy') + 165;
    bytes[at]! ^= 1;
    return bytes;
  });
  const archive = await openNpz(file);
  await assert.rejects(archive.read('float64'), requestError(/array float64.*checksum/));
  await archive.close();
});

for (const [says, size, message] of [
  ['of 2 GiB is refused before it is read', () => 2 ** 31, /would take 2147483648 bytes; at most 1073741824 are read/],
  [
    'that inflates beyond its stated size is damaged',
    (stated: number) => stated - 1,
    /is not a valid npz archive: .*too many bytes/,
  ],
] as const) {
  test(`an array ${says}`, async (t) => {
    const bytes = readFileSync(fixture('arrays-deflated.npz'));
    // "uncompressed size" in the first entry of the central directory: APPNOTE.TXT 4.3.12
    const offset = bytes.indexOf(Buffer.from('PK\x01\x02', 'latin1')) + 24;
    bytes.writeUInt32LE(size(bytes.readUInt32LE(offset)), offset);
    const file = path.join(temporaryFolder(t), 'sizes.npz');
    writeFileSync(file, bytes);
    const archive = await openNpz(file);
    const [first] = archive.names;
    await assert.rejects(archive.read(first!), requestError(message));
    await archive.close();
  });
}
