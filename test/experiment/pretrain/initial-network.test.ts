/** A training starts from drawn weights, or from those of a checkpoint. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { initialNetwork } from '../../../src/experiment/pretrain/initial-network.js';
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
