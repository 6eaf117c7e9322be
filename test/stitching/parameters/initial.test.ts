/** Starting values against those of loralib and peft, and of timm for heads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Float32NdArray } from '../../../src/shared/arrays.js';
import { initialTrainables } from '../../../src/stitching/parameters/initial.js';
import { namedTrainables } from '../../../src/stitching/parameters/names.js';
import { noTrainables } from '../../../src/stitching/parameters/trainables.js';
import { namedLeaves } from '../../../src/training/parameters.js';
import { frozenNetwork, networkOf, space } from '../../training/miniature-network.js';

const wide = { ranks: [50, 50], stitchingLayerRank: 50, stitchBias: true };

test('A is uniform in +-1 / sqrt(in), B and the biases of stitches are zero', () => {
  // torch.nn.init.kaiming_uniform_(A, a=sqrt(5)): the bound is sqrt(6 / ((1 + 5) in)).
  const named = namedTrainables(initialTrainables(space, networkOf(wide), 0));
  const downs = Object.entries(named).filter(([name]) => name.endsWith('/down'));
  assert.equal(downs.length, 2 + 2 + space.stitchingLayers.length, 'two blocks of both anchors, and the layers');
  for (const [name, { shape, data }] of downs) {
    const inputs = name.startsWith('update/1') ? 12 : 8;
    assert.deepEqual(shape.slice(-2), [inputs, 50], name);
    const bound = 1 / Math.sqrt(inputs);
    assert.ok(
      data.every((value) => Math.abs(value) <= bound),
      name,
    );
    assert.ok(Math.max(...data) > 0.95 * bound && Math.min(...data) < -0.95 * bound, name);
    // The variance of a uniform distribution is bound^2 / 3; 400 values and more have it to a fifth.
    const variance = data.reduce((sum, value) => sum + value ** 2, 0) / data.length;
    assert.ok(Math.abs(variance - bound ** 2 / 3) < bound ** 2 / 15, `${name}: ${variance}`);
  }
  const zero = Object.entries(named).filter(([, { data }]) => data.every((value) => value === 0));
  const isZero = (name: string) => name.endsWith('/up') || name.startsWith('bias/') || /^head\/.*bias$/.test(name);
  assert.deepEqual(zero.map(([name]) => name).sort(), Object.keys(named).filter(isZero).sort());
});

test('every tensor is drawn by its own name: it does not matter what else is trained', () => {
  const all = namedTrainables(initialTrainables(space, networkOf(wide), 0));
  const one = namedTrainables(initialTrainables({ stitches: [space.stitches[1]!] }, networkOf(wide), 0));
  for (const [name, tensor] of Object.entries(one)) assert.deepEqual(tensor, all[name], name);
  assert.ok(Object.keys(one).length < Object.keys(all).length);
  const downs = Object.entries(all).filter(([name]) => name.endsWith('/down'));
  assert.equal(new Set(downs.map(([, { data }]) => data[0])).size, downs.length, 'no two are drawn alike');
  const other = namedTrainables(initialTrainables(space, networkOf(wide), 1));
  for (const [name, { data }] of downs) assert.notDeepEqual(other[name]!.data, data, name);
});

test('full fine-tuning starts from the pretrained weights, heads from those that are given', () => {
  const weights = namedLeaves<Float32NdArray>(frozenNetwork());
  const { heads } = initialTrainables(space, networkOf(), 7);
  const start = initialTrainables(space, networkOf('full'), 0, { weights, heads });
  assert.deepEqual(start.heads, heads);
  assert.deepEqual(start, { ...noTrainables, weights, heads });
  assert.throws(() => initialTrainables(space, networkOf('full'), 0), /no pretrained tensor is given for weights\//);
});
