/** `esta data list`, `prepare` and `check`, as a user runs them. */
import assert from 'node:assert/strict';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { writeDownload } from '../../../data-scripts/miniature/download.js';
import { miniatures } from '../../../data-scripts/miniature/miniatures.js';
import { esta } from '../../command-line.js';
import { temporaryFolder } from '../../data/official/temporary-folder.js';

test('list names every data set with its size and source', async () => {
  const text = await esta(['data', 'list']);
  assert.equal(text.status, 0, text.stderr);
  assert.match(text.stdout, /^nabirds +555 +48562 +9 GB +https:\/\/dl\.allaboutbirds\.org/m);
  const { stdout } = await esta(['data', 'list', '--json']);
  const { datasets } = JSON.parse(stdout) as { datasets: { name: string; classes: number }[] };
  assert.equal(datasets.length, 25);
  assert.deepEqual(datasets.find(({ name }) => name === 'vtab-sun397')?.classes, 397);
});

test('list NAME and prepare without a download say what to download from where, and how large it is', async (t) => {
  const { status, stdout } = await esta(['data', 'list', 'cars']);
  assert.equal(status, 0);
  assert.match(stdout, /^Download Stanford Cars \(1\.9 GB\) from https:\/\/ai\.stanford\.edu/m);
  assert.match(stdout, /^The files are cars_train\.tgz, .*_withlabels\.mat; or car_ims\.tgz and cars_annos\.mat$/m);
  assert.match(stdout, /^ {2}MD5 065e5b463ae28d29e77c1b4b166cfe61 {2}cars_train\.tgz$/m);
  const prepare = await esta(['data', 'prepare', 'cub', '--root', await temporaryFolder(t)]);
  assert.equal(prepare.status, 2);
  assert.match(prepare.stderr, /there is no CUB-200-2011 in .*\nDownload CUB-200-2011 \(1\.2 GB\) from https:/);
  assert.match(prepare.stderr, /The files are CUB_200_2011\.tgz\nThen: esta data prepare cub-200-2011 --from/);
});

test('prepare, then check: a miniature has too few images, which check says with status 1', async (t) => {
  const folder = await temporaryFolder(t);
  const [downloads, root] = [path.join(folder, 'downloads'), path.join(folder, 'data')];
  await mkdir(downloads);
  await writeDownload((await miniatures['cub-200-2011']!()).download, downloads);

  const refused = await esta(['data', 'prepare', 'cub', '--from', downloads, '--root', root]);
  assert.equal(refused.status, 2);
  assert.match(refused.stderr, /^Error: .*CUB_200_2011\.tgz is damaged or another version/m);
  assert.doesNotMatch(refused.stderr, / at .*\.js/, 'no stack');

  const prepared = await esta(['data', 'prepare', 'cub', '--from', downloads, '--root', root, '--no-verify', '--json']);
  assert.equal(prepared.status, 0, prepared.stderr);
  const [result] = (JSON.parse(prepared.stdout) as { prepared: { origin: string; images: object }[] }).prepared;
  assert.deepEqual([result?.origin, result?.images], ['drawn', { train: 13, val: 2, test: 6 }]);

  const checked = await esta(['data', 'check', 'cub-200-2011', '--root', root, '--json']);
  assert.equal(checked.status, 1, checked.stderr);
  const [check] = (JSON.parse(checked.stdout) as { checks: { ok: boolean; problems: string[] }[] }).checks;
  assert.equal(check?.ok, false);
  assert.deepEqual(check?.problems.slice(0, 2), ['3 classes, expected 200', 'train has 13 images, expected 5394']);
  const text = await esta(['data', 'check', 'cub-200-2011', '--root', root]);
  assert.equal(text.status, 1);
  assert.match(text.stdout, /^ {2}wrong: train has 13 images, expected 5394$/m);
  assert.match(text.stdout, /^ {2}note: 3 classes were found, the official set has 200/m);
});

test('an unknown data set and an empty root are wrong requests', async (t) => {
  const root = await temporaryFolder(t);
  const unknown = await esta(['data', 'check', 'nabird', '--root', root]);
  assert.equal(unknown.status, 2);
  assert.match(unknown.stderr, /did you mean 'nabirds'/);
  const empty = await esta(['data', 'check', 'nabirds', '--root', root]);
  assert.equal(empty.status, 2);
  assert.match(empty.stderr, /is not a NABirds folder/);
});

test('check of an image folder names what is left out, and refuses a single class', async (t) => {
  const root = await temporaryFolder(t);
  const image = sharp({ create: { width: 4, height: 4, channels: 3, background: 'green' } });
  for (const split of ['train', 'test']) {
    for (const [index, name] of ['owl', 'wren'].entries()) {
      const folder = path.join(root, split, name);
      await mkdir(path.join(folder, 'more'), { recursive: true });
      await image.tint({ r: 50 * index, g: 100, b: 9 }).toFile(path.join(folder, 'more', `${split}.tif`));
      await image.toFile(path.join(folder, 'left.gif'));
    }
  }
  const { status, stdout } = await esta(['data', 'check', 'image-folder', '--root', root]);
  assert.equal(status, 0);
  assert.match(stdout, /^image-folder: \d warnings? \(2 train, 0 val, 2 test images\)$/m);
  assert.match(stdout, /warning: 4 left out, \.gif is not read, convert to PNG: train\/owl\/left\.gif, /);
  for (const split of ['train', 'test']) await rm(path.join(root, split, 'wren'), { recursive: true });
  const single = await esta(['data', 'check', 'image-folder', '--root', root]);
  assert.equal(single.status, 2);
  assert.match(single.stderr, /one class folder, 'owl'; at least 2 classes are needed/);
});
