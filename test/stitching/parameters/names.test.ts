/** The names of trained tensors: they are part of the format of run folders. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namedTrainables, trainablesOfNames } from '../../../src/stitching/parameters/names.js';
import { trainableShapes } from '../../../src/stitching/parameters/shapes.js';
import { networkOf, space, trainables } from '../../training/miniature-network.js';

/** From block 0 of the small anchor to block 1 of the large one. */
const stitch = space.stitches.find(({ path: [front, end] }) => front!.blocks[1] === 1 && end?.blocks[0] === 1)!;
const own = { ranks: [2, 2], stitchingLayerRank: 2, stitchBias: false, ownLowRank: true };

test('tensors are called as in every run folder so far, and hold the shapes that the names promise', () => {
  const { id, stitchingLayer: layer } = stitch;
  assert.deepEqual(namedTrainables(trainableShapes(stitch, networkOf())), {
    'update/0/0/attention/down': [3, 8, 2],
    'update/0/0/attention/up': [3, 2, 8],
    'update/1/1/attention/down': [3, 12, 2],
    'update/1/1/attention/up': [3, 2, 12],
    [`bias/${id}/0`]: [24],
    [`bias/${id}/1`]: [36],
    [`layer/${layer}/down`]: [8, 2],
    [`layer/${layer}/up`]: [2, 12],
    [`bias/${id}/layer`]: [12],
    'head/1/weight': [12, 3],
    'head/1/bias': [3],
  });
  const little = networkOf({ ranks: [0, 2], stitchingLayerRank: 0, stitchBias: false });
  assert.deepEqual(Object.keys(namedTrainables(trainableShapes(stitch, little))), [
    ...['update/1/1/attention/down', 'update/1/1/attention/up', 'head/1/weight', 'head/1/bias'],
  ]);
  const specific = Object.keys(namedTrainables(trainableShapes(stitch, networkOf(own))));
  assert.ok(
    specific.includes(`own/${id}/update/1/1/attention/up`) && specific.includes(`own/${id}/layer/${layer}/down`),
  );
});

test('what is named can be read again, whatever is trained', () => {
  for (const adaptation of [networkOf().adaptation, own, 'full'] as const) {
    const tree = trainables(adaptation);
    assert.deepEqual(trainablesOfNames(namedTrainables(tree)), tree);
  }
  assert.throws(() => trainablesOfNames({ 'adapter/0': 1 }), /adapter\/0 is no name of a trained tensor/);
});
