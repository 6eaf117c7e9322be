/** VPT's split files: small ones written here, and the published ones when ESTA_VPT_SPLITS names their folder. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { Sample } from '../../../../src/data/dataset.js';
import { readVptSplits, vptClassIds, vptSamples } from '../../../../src/data/official/readers/vpt-splits.js';
import { findOfficial } from '../../../../src/data/official/registry.js';
import { drawValidation } from '../../../../src/data/splits.js';
import { temporaryFolder } from '../temporary-folder.js';

async function written(context: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await temporaryFolder(context);
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), content);
  }
  return folder;
}

const three = {
  'train.json': '{"b.jpg": "010", "a.jpg": "009"}',
  'val.json': '{"c.jpg": "010"}',
  'test.json': '{"d.jpg": "100"}',
};

test('zero-padded strings are numbers; file order is kept; one label map for all three files', async (t) => {
  const splits = (await readVptSplits(await written(t, three)))!;
  const ids = vptClassIds(splits);
  assert.deepEqual(ids, [9, 10, 100]);
  const samples = (part: 'train' | 'val' | 'test') => vptSamples(splits[part], ids, (key) => `/cub/${key}`, part);
  assert.deepEqual(samples('train'), [
    { file: '/cub/b.jpg', label: 1 },
    { file: '/cub/a.jpg', label: 0 },
  ]);
  assert.deepEqual(samples('val'), [{ file: '/cub/c.jpg', label: 1 }], 'ranked within its own file it would be 0');
});

test('fractions of the training images', async (t) => {
  const folder = await written(t, { ...three, 'train_0.1.json': '{"a.jpg": 9}' });
  assert.deepEqual((await readVptSplits(folder, '0.1'))?.train, [['a.jpg', 9]]);
  await assert.rejects(readVptSplits(folder, '0.5'), /has VPT split files, but not train_0\.5\.json/);
});

test('no split files are no error, some are', async (t) => {
  assert.equal(await readVptSplits(await written(t, {})), undefined);
  const { 'val.json': _, ...two } = three;
  await assert.rejects(readVptSplits(await written(t, two)), /has VPT split files, but not val\.json/);
  const apart = { 'a/train.json': '{}', 'b/val.json': '{}', 'b/test.json': '{}' };
  await assert.rejects(readVptSplits(await written(t, apart)), /are in different folders/);
});

test('a file that is no mapping is refused', async (t) => {
  for (const content of ['null', '[]', '"a"']) {
    const folder = await written(t, { ...three, 'val.json': content });
    await assert.rejects(readVptSplits(folder), /val\.json: expected a mapping from images to classes, received /);
  }
});

test('values that are no ids, broken JSON and classes out of range are refused', async (t) => {
  const word = await written(t, { ...three, 'val.json': '{"c.jpg": "finch"}' });
  await assert.rejects(readVptSplits(word), /val\.json, class of c\.jpg: expected a whole number, found "finch"/);
  const broken = await written(t, { ...three, 'val.json': '{"c.jpg": ' });
  await assert.rejects(readVptSplits(broken), /val\.json is not valid JSON/);
  assert.throws(() => vptSamples([['c.jpg', 201]], [1, 2], (key) => key, 'val.json'), /class 201 of c\.jpg is out of/);
});

function countsByLabel(samples: readonly Sample[], classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const { label } of samples) counts[label]!++;
  return counts;
}

const published = process.env['ESTA_VPT_SPLITS'];
const folderOf = {
  'cub-200-2011': 'cub',
  nabirds: 'nabirds',
  'oxford-flowers-102': 'oxfordflowers',
  'stanford-dogs': 'stanforddogs',
  'stanford-cars': 'stanfordcars',
} as const;

describe('published split files', { skip: published === undefined && 'ESTA_VPT_SPLITS is not set' }, () => {
  for (const [name, folder] of Object.entries(folderOf)) {
    test(name, async () => {
      const [spec] = findOfficial(name);
      const splits = (await readVptSplits(path.join(published!, folder)))!;
      const counts = { train: splits.train.length, val: splits.val.length, test: splits.test.length };
      assert.deepEqual(counts, spec!.counts);
      const ids = vptClassIds(splits);
      assert.equal(ids.length, spec!.classes);
      const perClass = (lists: (typeof splits.train)[]) => {
        const counted = new Map<number, number>();
        for (const [, id] of lists.flat()) counted.set(id, (counted.get(id) ?? 0) + 1);
        return [Math.min(...counted.values()), Math.max(...counted.values())];
      };
      if (spec!.perClass) {
        assert.deepEqual(perClass([splits.train, splits.val]), spec!.perClass.train);
        assert.deepEqual(perClass([splits.test]), spec!.perClass.test);
      }
    });
  }

  for (const name of ['cub-200-2011', 'nabirds', 'stanford-dogs', 'stanford-cars'] as const) {
    test(`${name}: a drawn split takes as many images of classes of the same size`, async () => {
      const splits = (await readVptSplits(path.join(published!, folderOf[name])))!;
      const ids = vptClassIds(splits);
      const [train, val] = [splits.train, splits.val].map((list) => vptSamples(list, ids, (key) => key, name));
      const drawn = drawValidation([...train!, ...val!], 0.1, 0);
      // Which of two classes of equal size gives one image more is random.
      const takenBySize = (part: readonly Sample[]) => {
        const sizes = countsByLabel([...train!, ...val!], ids.length);
        return countsByLabel(part, ids.length)
          .map((taken, label) => `${taken} of ${sizes[label]}`)
          .sort();
      };
      assert.deepEqual(takenBySize(drawn.val), takenBySize(val!));
    });
  }

  test('NABirds: ids missing in val keep their labels', async () => {
    const splits = (await readVptSplits(path.join(published!, 'nabirds')))!;
    const ids = vptClassIds(splits);
    assert.deepEqual([ids[0], ids.at(-1)], [295, 1010]);
    assert.deepEqual([ids.indexOf(627), ids.indexOf(975)], [230, 519]);
    const own = [...new Set(splits.val.map(([, id]) => id))].sort((a, b) => a - b);
    const wrong = vptSamples(splits.val, ids, (key) => key, 'val').filter(
      ({ label }, index) => own.indexOf(splits.val[index]![1]) !== label,
    );
    assert.equal(wrong.length, 1440, 'what ranking the ids of val.json alone would mislabel');
  });
});
