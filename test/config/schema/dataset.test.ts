import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataSchema, defaultDatasetName } from '../../../src/config/schema/dataset.js';

test('a data set goes by its kind or task, and by its shots', () => {
  assert.deepEqual(
    [{ kind: 'species' }, { kind: 'vtab', task: 'dtd' }, { kind: 'cars', shots: 4 }, { shots: 4 }, {}].map(
      defaultDatasetName,
    ),
    ['species', 'vtab-dtd', 'cars-4-shot', undefined, undefined],
  );
});

test('numbers of drawn images that would fill the memory are refused', () => {
  for (const key of ['train_images', 'validation_images', 'test_images']) {
    assert.equal(dataSchema.safeParse({ kind: 'species', [key]: 10_000 }).success, true);
    assert.match(dataSchema.safeParse({ kind: 'species', [key]: 1e9 }).error!.message, /10000/);
  }
});

test('one data set is a list of one; a name that is given stays', () => {
  const namesOf = (value: unknown) => dataSchema.parse(value).map(({ name }) => name);
  assert.deepEqual(namesOf({ kind: 'species' }), ['species']);
  assert.deepEqual(namesOf([{ kind: 'species' }, { kind: 'species', name: 'birds' }]), ['species', 'birds']);
});

test('what is no data set is a problem of the file, not of the program', () => {
  for (const wrong of [null, 3, 'species', [null], [3], [{ kind: 3 }], [{}], []]) {
    assert.equal(dataSchema.safeParse(wrong).success, false);
  }
});
