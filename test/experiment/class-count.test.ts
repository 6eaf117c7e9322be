import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { type DatasetConfig, datasetSchema } from '../../src/config/schema/dataset.js';
import { classCountOf } from '../../src/experiment/class-count.js';
import { temporaryFolder } from '../data/official/temporary-folder.js';

const dataset = (fields: object): DatasetConfig => datasetSchema.parse({ name: 'set', root: '/nowhere', ...fields });

test('official sets and drawn species tell without a folder', async () => {
  const { root: _, ...species } = { root: '', kind: 'species' as const, name: 's', classes: 5 };
  assert.equal(await classCountOf(datasetSchema.parse(species)), 5);
  assert.equal(await classCountOf(dataset({ kind: 'nabirds' })), 555);
  assert.equal(await classCountOf(dataset({ kind: 'cifar-100' })), 100);
  assert.equal(await classCountOf(dataset({ kind: 'vtab-1k', task: 'svhn' })), 10);
  assert.equal(await classCountOf(dataset({ kind: 'vtab-1k', task: 'cifar' })), 100);
});

test('a folder of images must be there', async (t) => {
  const root = await temporaryFolder(t);
  for (const name of ['a', 'b', 'c']) {
    for (const split of ['train', 'test']) {
      await mkdir(path.join(root, split, name), { recursive: true });
      await writeFile(path.join(root, split, name, '0.jpg'), '');
    }
  }
  assert.equal(await classCountOf(dataset({ kind: 'image-folder', root })), 3);
  await assert.rejects(classCountOf(dataset({ kind: 'image-folder' })), { name: 'RequestError', message: /\/nowhere/ });
});
