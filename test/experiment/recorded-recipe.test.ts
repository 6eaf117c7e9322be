import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { recipeFile, recordedRecipe } from '../../src/experiment/recorded-recipe.js';
import { temporaryFolder } from '../models/pretrained/fixtures.js';

test('a trial without a recipe is of an old version; a file that is none is refused', async (t) => {
  const folder = temporaryFolder(t);
  assert.equal(await recordedRecipe(folder), undefined);
  for (const content of ['null', '{}', '[]']) {
    await writeFile(recipeFile(folder), content);
    await assert.rejects(recordedRecipe(folder), {
      name: 'RequestError',
      message: /recipe\.json is no recipe of a trial/,
    });
  }
});
