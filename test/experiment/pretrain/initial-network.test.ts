/** A training starts from drawn weights, or from those of a checkpoint. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { checkStart, initialNetwork } from '../../../src/experiment/pretrain/initial-network.js';
import { architectureNamed } from '../../../src/models/architectures.js';
import { fromScratch } from '../../../src/models/from-scratch.js';
import { writeSafetensors } from '../../../src/models/pretrained/formats/safetensors.js';
import { Random } from '../../../src/shared/random.js';
import { temporaryFolder } from '../../models/pretrained/fixtures.js';

const architecture = architectureNamed('vit_mini_tiny_depth4');
const family = fromScratch(architecture);

test('without a checkpoint the seed and the name draw the weights', async () => {
  const drawn = await initialNetwork({ name: 'Ti' }, architecture, 3, 5);
  assert.deepEqual(drawn, family.fresh(3, Random.of(5, 'weights', 'Ti')));
  assert.notDeepEqual(drawn, await initialNetwork({ name: 'S' }, architecture, 3, 5));
});

test('a checkpoint gives the body, and the head where it tells as many classes apart', async (t) => {
  const checkpoint = path.join(temporaryFolder(t), 'there.safetensors');
  const there = family.fresh(3, Random.of(9, 'other'));
  await writeSafetensors(checkpoint, family.stateDictOf(there));
  assert.deepEqual(await initialNetwork({ name: 'Ti', checkpoint }, architecture, 3, 5), there);
  const five = await initialNetwork({ name: 'Ti', checkpoint }, architecture, 5, 5);
  assert.deepEqual(five.weights, there.weights);
  assert.deepEqual(five.head, family.fresh(5, Random.of(5, 'weights', 'Ti')).head);
  const small = architectureNamed('vit_mini_small_depth4');
  await assert.rejects(initialNetwork({ name: 'S', checkpoint }, small, 3, 5), /there\.safetensors/);
});

test('what a user should know of a checkpoint is said, and what does not fit refused', async (t) => {
  const folder = temporaryFolder(t);
  const checkpoint = path.join(folder, 'there.safetensors');
  const notesOf = async (classes: number, of = architecture) => {
    const notes: string[] = [];
    await checkStart({ name: 'Ti', checkpoint }, of, classes, (note) => notes.push(note));
    return notes;
  };
  const there = family.stateDictOf(family.fresh(3, Random.of(9, 'other')));
  await writeSafetensors(checkpoint, { ...there, 'pooler.bias': there['norm.bias']! });
  const unused = `${checkpoint}: not used, because vit_mini_tiny_depth4 has no place for it: pooler.bias`;
  assert.deepEqual(await notesOf(3), [unused]);
  assert.deepEqual(await notesOf(5), [unused, `Ti: its head is drawn anew: ${checkpoint} has none for 5 classes`]);
  await assert.rejects(
    notesOf(3, architectureNamed('vit_mini_small_depth4')),
    /holds a vision transformer with width 32/,
  );
  await writeFile(path.join(folder, 'config.json'), JSON.stringify({ mean: [0.1, 0.2, 0.3], std: [1, 1, 1] }));
  assert.deepEqual(await notesOf(3), [
    unused,
    `Ti: ${checkpoint} was trained on images of mean 0.1, 0.2, 0.3, std 1, 1, 1; here they have mean 0.5, 0.5, 0.5, std 0.5, 0.5, 0.5`,
  ]);
  await checkStart({ name: 'Ti' }, architecture, 3, () => assert.fail('drawn weights have nothing to be said of'));
});
