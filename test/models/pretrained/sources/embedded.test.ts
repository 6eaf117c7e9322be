/** The networks that are part of the package: what is recorded of their pretraining is there, and loads. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { architectureNamed } from '../../../../src/models/architectures.js';
import { loadNetwork } from '../../../../src/models/pretrained/load-network.js';
import { embeddedFile } from '../../../../src/models/pretrained/sources/embedded.js';
import { projectRoot } from '../../../command-line.js';

interface Record {
  readonly families: readonly {
    readonly recipe: string;
    readonly results: readonly { readonly file: string; readonly accuracy: number }[];
  }[];
}

const folder = path.join(projectRoot, 'src', 'models', 'embedded');
const { families }: Record = JSON.parse(await readFile(path.join(folder, 'pretraining.json'), 'utf8'));

for (const { file, accuracy } of families.flatMap(({ results }) => results)) {
  const name = path.basename(file, '.safetensors');
  test(`${name} has learned 202 classes`, async () => {
    assert.equal(await embeddedFile(name), path.join(folder, file));
    const { head, report } = await loadNetwork('embedded', architectureNamed(name));
    assert.equal(report.head, 'kept');
    assert.deepEqual(head!.bias.shape, [202]);
    assert.ok(accuracy > 10, `${accuracy} %, where chance is 0.5`);
  });
}

for (const { recipe, results } of families) {
  test(`the larger an anchor of ${recipe}, the better`, () => {
    const accuracies = results.map(({ accuracy }) => accuracy);
    assert.deepEqual(
      accuracies,
      accuracies.toSorted((a, b) => a - b),
    );
  });
}
