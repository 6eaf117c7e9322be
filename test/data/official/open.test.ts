/** Opening by the names and folders that an experiment file gives. */
import assert from 'node:assert/strict';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { writeUnpacked } from '../../../data-scripts/miniature/download.js';
import { miniatures } from '../../../data-scripts/miniature/miniatures.js';
import { openOfficial } from '../../../src/data/official/open.js';
import { prepareOfficial } from '../../../src/data/official/prepare/prepare.js';
import { findOfficial, officialSpecs } from '../../../src/data/official/registry.js';
import { temporaryFolder } from './temporary-folder.js';

test('25 data sets; names, aliases and the group', () => {
  assert.equal(officialSpecs.length, 25);
  const names = officialSpecs.flatMap(({ name, aliases }) => [name, ...aliases]);
  assert.equal(new Set(names).size, names.length);
  assert.equal(findOfficial('cifar100')[0]?.name, 'cifar-100');
  assert.equal(findOfficial('vtab-1k').length, 19);
  assert.throws(() => findOfficial('nabird'), /unknown data set 'nabird', did you mean 'nabirds'\?/);
  assert.throws(() => findOfficial('my-photos'), { hint: /esta data check image-folder --root DIR\.$/ });
});

test('unprepared data is read from its layout; tasks of VTAB-1k by name or alias', async (t) => {
  const root = await temporaryFolder(t);
  await writeUnpacked((await miniatures['vtab-dtd']!()).download, root);
  const dataset = await openOfficial({ kind: 'vtab-1k', task: 'dtd', root });
  assert.deepEqual([dataset.name, dataset.classes.length, dataset.splits.train.length], ['vtab-dtd', 47, 12]);
  await assert.rejects(openOfficial({ kind: 'vtab-1k', task: 'svhn', root }), /has no folder svhn/);
  await assert.rejects(openOfficial({ kind: 'vtab-1k', root }), /needs a task/);
  const cifar = openOfficial({ kind: 'cifar-100', root });
  await assert.rejects(cifar, { hint: /esta data prepare cifar-100/ });
});

test('the drawn split belongs to the prepared data set', async (t) => {
  const [source, root] = [await temporaryFolder(t), await temporaryFolder(t)];
  const { download, spec } = await miniatures['cub-200-2011']!();
  await writeUnpacked(download, source);
  await prepareOfficial([spec], { from: [source], root, splitSeed: 7 });
  const request = { kind: 'cub-200-2011', root };
  const dataset = await openOfficial(request);
  assert.equal(dataset.splits.val?.length, 2);
  assert.deepEqual(await openOfficial({ ...request, root: path.join(root, 'cub-200-2011'), splitSeed: 7 }), dataset);
  await assert.rejects(openOfficial({ ...request, splitSeed: 0 }), /prepared with drawn .*\(fraction 0\.1, seed 7\)/);
  assert.deepEqual(await openOfficial({ ...request, validationFraction: 0.1 }), dataset);
  await assert.rejects(openOfficial({ ...request, validationFraction: 0.2 }), /other splits are asked for/);
  await assert.rejects(openOfficial({ ...request, splits: source }), /other splits are asked for/);
  const file = path.join(root, 'cub-200-2011', 'splits.json');
  await writeFile(file, (await readFile(file, 'utf8')).replace(/,\d+\]/, ',200]'));
  await assert.rejects(openOfficial(request), /splits\.json says label 200 for .*, and names 3 classes/);
});

test('a list may not name images outside of its data set, whose copies would be written outside, too', async (t) => {
  const [source, root] = [await temporaryFolder(t), await temporaryFolder(t)];
  const { download, spec } = await miniatures['vtab-dtd']!();
  await writeUnpacked(download, source);
  await appendFile(path.join(source, 'vtab-1k', 'dtd', 'test.txt'), '../../../outside.jpg 0\n');
  const prepared = prepareOfficial([spec], { from: [source], root });
  await assert.rejects(prepared, /vtab-dtd lists an image outside of its folder .*outside\.jpg/);
});
