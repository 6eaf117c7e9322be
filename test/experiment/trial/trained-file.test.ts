/** trained.safetensors: what is written is read again, and what cannot be used is refused. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { readTrained, requireFits, writeTrained } from '../../../src/experiment/trial/trained-file.js';
import { readSafetensors, writeSafetensors } from '../../../src/models/pretrained/formats/safetensors.js';
import { float32 } from '../../../src/shared/arrays.js';
import { RequestError } from '../../../src/shared/errors.js';
import { trainableShapes } from '../../../src/stitching/parameters/shapes.js';
import { noTrainables, pickTrainables } from '../../../src/stitching/parameters/trainables.js';
import { temporaryFolder } from '../../models/pretrained/fixtures.js';
import { frozenNetwork, networkOf, space, trainables } from '../../training/miniature-network.js';

const classes = ['Ram C/V', 'Löwenzahn'];

test('trained tensors, stitching layers and what anchors learned alone keep their places', async (t) => {
  const file = path.join(temporaryFolder(t), 'trained.safetensors');
  const own = pickTrainables(trainables(), trainableShapes(space.stitches[0]!, networkOf()));
  const { layers } = frozenNetwork();
  await writeTrained(file, { trainables: trainables(), layers, alone: own, classes });
  assert.deepEqual(await readTrained(file), { file, trainables: trainables(), layers, alone: own, classes });
  const names = Object.keys((await readSafetensors(file)).tensors);
  for (const name of ['start/layers/0/weight', 'start/layers/0/bias', 'alone/head/0/weight', 'head/1/bias']) {
    assert.ok(names.includes(name), `${name} in ${names}`);
  }
  const single = { trainables: own, layers: [], alone: noTrainables, classes, stitches: [0] };
  await writeTrained(file, single);
  assert.deepEqual(await readTrained(file), { file, ...single });
});

test('tensors that a network of this version has no place for, or not as large, are refused', () => {
  const fits = (more: object) =>
    requireFits({ file: 'trained', trainables: { ...trainables(), ...more } }, space.stitches, networkOf());
  fits({});
  const { biases } = trainables();
  const longer = { ...biases, 2: { ...biases[2], 0: float32([biases[2]![0]!.shape[0]! + 8]) } };
  assert.throws(() => fits({ biases: longer }), {
    ...{ name: 'RequestError', message: /^trained: bias\/2\/0 \[\d+\] would be \[\d+\] in networks of this version$/ },
    hint: /environment\.json/,
  });
  const moved = { 'anchors/0/downsamplings/0/reduce/bias': float32([4]) };
  assert.throws(() => fits({ weights: moved }), {
    message: /^trained: weights\/anchors\/0\/downsamplings\/0\/reduce\/bias \[4\] has no place/,
  });
});

test('files without classes, and numbers that are not finite, are refused with what to do', async (t) => {
  const file = path.join(temporaryFolder(t), 'trained.safetensors');
  const refused = async (data: readonly number[], metadata: Record<string, string>, message: string, hint: RegExp) => {
    await writeSafetensors(file, { 'head/0/bias': float32([2], Float32Array.from(data)) }, { metadata });
    await assert.rejects(readTrained(file), (error) => {
      assert.ok(error instanceof RequestError);
      assert.equal(error.message, `${file}${message}`);
      assert.match(error.hint!, hint);
      return true;
    });
  };
  await refused([1, 2], {}, ' does not name its classes', /Run the trial again/);
  const broken = ': head/0/bias holds numbers that are not finite, so that the network has no answer';
  await refused([1, Number.NaN], { classes: '["a"]' }, broken, /delete its trial folder/);
  await refused([Number.POSITIVE_INFINITY, 1], { classes: '["a"]' }, broken, /delete its trial folder/);
});
