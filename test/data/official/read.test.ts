/** Which splits an official data set gets: VPT's, the official ones, or drawn ones that say so. */
import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { writeUnpacked } from '../../../data-scripts/miniature/download.js';
import { type Miniature, miniatures } from '../../../data-scripts/miniature/miniatures.js';
import { readOfficialLayout } from '../../../src/data/official/read.js';
import { temporaryFolder } from './temporary-folder.js';

async function unpacked(context: TestContext, name: string): Promise<Miniature & { folder: string }> {
  const folder = await temporaryFolder(context);
  const miniature = await miniatures[name]!();
  await writeUnpacked(miniature.download, folder);
  return { ...miniature, folder };
}

async function writeSplits(folder: string, splits: Readonly<Record<string, Record<string, unknown>>>): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, content] of Object.entries(splits)) {
    await writeFile(path.join(folder, `${name}.json`), JSON.stringify(content));
  }
}

const birds = ['001.Black_footed_Albatross/Black_Footed_Albatross', '002.Laysan_Albatross/Laysan_Albatross'];
const cubSplits = {
  train: { [`${birds[1]}_002.jpg`]: '002', [`${birds[0]}_001.jpg`]: '001' },
  val: { [`${birds[1]}_005.jpg`]: '002' },
  test: { [`${birds[0]}_0016.jpg`]: '001', '003.Sooty_Albatross/Sooty_Albatross_0018.jpg': '003' },
};

test('without split files a stratified part is drawn, with a note that it is not the split of VPT', async (t) => {
  const { spec, folder } = await unpacked(t, 'cub-200-2011');
  const drawn = await readOfficialLayout(spec, folder);
  assert.equal(drawn.origin, 'drawn');
  assert.match(drawn.notes[0]!, /10 % .* seed 0\); this is not VPT's split/);
  const { train, val, test: testImages } = drawn.splits;
  assert.deepEqual([train.length, val?.length, testImages.length], [13, 2, 6], 'ceil(0.1 * 15) = 2');
  const again = await readOfficialLayout(spec, folder);
  assert.deepEqual(again, drawn, 'the same seed draws the same');
  const other = await readOfficialLayout(spec, folder, { validationFraction: 0.4, splitSeed: 1 });
  assert.equal(other.splits.val?.length, 6);
  await assert.rejects(
    readOfficialLayout(spec, folder, { validationFraction: 1 }),
    /validation fraction of 1 takes 15 of 15/,
  );
});

test('another number of classes than the official one is noted', async (t) => {
  const { spec, folder } = await unpacked(t, 'nabirds');
  const { notes } = await readOfficialLayout({ ...spec, classes: 555 }, folder);
  assert.match(notes.at(-1)!, /^3 classes were found, the official set has 555/);
});

test('official validation images are kept', async (t) => {
  const { spec, folder } = await unpacked(t, 'oxford-flowers-102');
  const { origin, notes, splits } = await readOfficialLayout(spec, folder);
  assert.deepEqual([origin, notes, splits.val?.length], ['official', [], 3]);
});

test('VPT split files are used, in their order, beside the data or from their own folder', async (t) => {
  const { spec, folder } = await unpacked(t, 'cub-200-2011');
  const own = path.join(await temporaryFolder(t), 'fgvc/CUB');
  await writeSplits(own, cubSplits);
  const fromOwn = await readOfficialLayout(spec, folder, { splits: own });
  assert.equal(fromOwn.origin, 'vpt');
  const image = (name: string) => path.join(folder, 'CUB_200_2011/images', name);
  assert.deepEqual(fromOwn.splits.train, [
    { file: image(`${birds[1]}_002.jpg`), label: 1 },
    { file: image(`${birds[0]}_001.jpg`), label: 0 },
  ]);
  await writeSplits(folder, cubSplits);
  assert.deepEqual(await readOfficialLayout(spec, folder), fromOwn);
});

test('split files suffice without the official label files, if they have all classes', async (t) => {
  const { spec, folder } = await unpacked(t, 'cub-200-2011');
  await writeSplits(folder, cubSplits);
  await rm(path.join(folder, 'CUB_200_2011/images.txt'));
  const { classes, notes, splits } = await readOfficialLayout(spec, folder);
  assert.deepEqual(classes, ['class 1', 'class 2', 'class 3']);
  assert.match(notes[0]!, /^Class names are unknown/);
  assert.equal(splits.test[1]?.label, 2);
  await assert.rejects(readOfficialLayout({ ...spec, classes: 200 }, folder), /have 3 classes, .* has 200/);
});

test('split files that disagree with the official labels are refused', async (t) => {
  const { spec, folder } = await unpacked(t, 'cub-200-2011');
  await writeSplits(folder, { ...cubSplits, val: { [`${birds[1]}_005.jpg`]: '003' } });
  await assert.rejects(readOfficialLayout(spec, folder), /say class 3 for .*_005\.jpg, the official labels say 2/);
});

test('split files asked for but absent are an error', async (t) => {
  const { spec, folder } = await unpacked(t, 'cub-200-2011');
  const splits = await temporaryFolder(t);
  await assert.rejects(readOfficialLayout(spec, folder, { splits }), /no VPT split files for CUB-200-2011/);
});
