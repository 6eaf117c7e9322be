/** CIFAR-100: both versions decode to the same pixels, in the documented plane order. */
import assert from 'node:assert/strict';
import { truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import sharp from 'sharp';
import { writeUnpacked } from '../../../../data-scripts/miniature/download.js';
import { miniatures } from '../../../../data-scripts/miniature/miniatures.js';
import { cifar100Layout, convertCifar100, readCifar100 } from '../../../../src/data/official/layouts/cifar-100.js';
import { temporaryFolder } from '../temporary-folder.js';

async function unpacked(context: TestContext, name: string): Promise<string> {
  const folder = await temporaryFolder(context);
  await writeUnpacked((await miniatures[name]!()).download, folder);
  return folder;
}

test('the binary and the Python version agree; fine labels are read', async (t) => {
  const python = await readCifar100(await unpacked(t, 'cifar-100'));
  const binary = await readCifar100(await unpacked(t, 'cifar-100-binary'));
  assert.deepEqual(python.train.labels, binary.train.labels);
  assert.deepEqual(python.train.labels.slice(0, 4), [50, 51, 52, 50], 'the coarse labels are 0, 1, 2');
  assert.deepEqual(Buffer.from(python.test.pixels), Buffer.from(binary.test.pixels));
  assert.equal(python.classes.length, 100);
  assert.deepEqual(python.classes, binary.classes, 'empty last lines are ignored');
});

test('images are lossless, planes become red, green, blue', async (t) => {
  const folder = await unpacked(t, 'cifar-100-binary');
  const target = path.join(folder, 'png');
  await convertCifar100(folder, target, () => {});
  const { data, info } = await sharp(path.join(target, 'images/train/00001.png'))
    .raw()
    .toBuffer({ resolveWithObject: true });
  assert.deepEqual([info.width, info.height, info.channels], [32, 32, 3]);
  // The miniature's second training image has byte (2 * at) % 251 at position `at` of its 3 planes.
  const expected = (row: number, column: number) =>
    [0, 1, 2].map((plane) => (2 * (plane * 1024 + row * 32 + column)) % 251);
  for (const [row, column] of [
    [0, 0],
    [0, 31],
    [17, 5],
  ] as const) {
    const at = 3 * (32 * row + column);
    assert.deepEqual([...data.subarray(at, at + 3)], expected(row, column));
  }
});

test('truncated files and labels out of range are refused', async (t) => {
  const folder = await unpacked(t, 'cifar-100-binary');
  const file = path.join(folder, 'cifar-100-binary/test.bin');
  await truncate(file, 5000);
  await assert.rejects(readCifar100(folder), /test\.bin has 5000 bytes, expected a multiple of 3074/);
  const record = Buffer.alloc(3074);
  record[1] = 100;
  await writeFile(file, record);
  await assert.rejects(readCifar100(folder), /fine label of image 0: 100 is out of range, allowed are 0 to 99/);
  const python = await unpacked(t, 'cifar-100');
  await truncate(path.join(python, 'cifar-100-python/train'), 2000);
  await assert.rejects(readCifar100(python), /damaged or truncated pickle/);
});

test('labels of classes without a name are refused', async (t) => {
  const folder = await unpacked(t, 'cifar-100-binary');
  await convertCifar100(folder, folder, () => {});
  await writeFile(path.join(folder, 'classes.txt'), 'apple\nbear\n');
  await assert.rejects(
    cifar100Layout.readLabels(folder),
    /train\.txt, record 1: 50 is out of range, allowed are 0 to 1/,
  );
});
