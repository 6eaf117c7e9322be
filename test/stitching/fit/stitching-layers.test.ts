/** Which features stitching layers are fitted to: of which blocks, of which pairs, once each. The fit: least-squares.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toDevice } from '../../../src/engine/transfer.js';
import { float32 } from '../../../src/shared/arrays.js';
import { Random } from '../../../src/shared/random.js';
import { fitStitchingLayers } from '../../../src/stitching/fit/stitching-layers.js';
import type { StitchingLayer } from '../../../src/stitching/space/stitch-space.js';
import { hostEngine } from '../../experiment/trial/host-engine.js';
import { architectures, batch, frozenNetwork } from '../../training/miniature-network.js';

const [from, to] = [8, 12];
const random = Random.of(5, 'features');
const noise = (length: number) => Array.from({ length }, () => random.normal());
const [weight, bias] = [noise(from * to), noise(to)];
const layersOf = (...pairs: StitchingLayer['pairs'][]): StitchingLayer[] =>
  pairs.map((pairs, index) => ({ index, fromAnchor: 0, toAnchor: 1, pairs }));

/** X W + b of every row. */
const mapped = (x: readonly number[]) =>
  Array.from({ length: (x.length / from) * to }, (_, at) => {
    const [row, column] = [Math.floor(at / to), at % to];
    return (
      bias[column]! +
      weight.slice(0, from).reduce((sum, _, i) => sum + x[row * from + i]! * weight[i * to + column]!, 0)
    );
  });

/** What enters block 0 of the large anchor is linear in what leaves block 0 of the small one; all else is noise. */
function featureEngine() {
  const engine = hostEngine({
    other: (program) => {
      const rows = 20;
      const [x, y] = [noise(rows * from), noise(rows * from)];
      const value = (data: readonly number[], width: number) =>
        engine.put(float32([4, rows / 4, width], Float32Array.from(data)));
      if (program.includes('small')) {
        seen = x;
        return { leaving: { 0: value(x, from), 1: value(y, from) }, entering: {} };
      }
      return { leaving: {}, entering: { 0: value(mapped(seen), to), 1: value(noise(rows * to), to) } };
    },
  });
  let seen: number[] = [];
  return engine;
}

test('a layer is the mean of the fits of its pairs of blocks', async () => {
  const engine = featureEngine();
  const anchors = toDevice(engine, frozenNetwork().anchors);
  const layers = layersOf(
    [
      [0, 0],
      [1, 1],
    ],
    [[0, 0]],
    [[1, 1]],
    [
      [0, 0],
      [1, 0],
      [1, 1],
    ],
    [[1, 0]],
  );
  const done: number[] = [];
  const batches = [batch().images, batch().images, batch().images];
  const fitted = await fitStitchingLayers(
    engine,
    { stitchingLayers: layers },
    anchors,
    architectures,
    batches,
    (count) => done.push(count),
  );
  const [both, exact, unrelated, window, other] = fitted;
  const close = (actual: Float32Array, expected: readonly number[]) =>
    assert.ok(actual.every((value, index) => Math.abs(value - expected[index]!) < 1e-5));
  close(exact!.weight.data, weight);
  close(exact!.bias.data, bias);
  assert.ok(exact!.relativeError < 1e-5 && unrelated!.relativeError > 0.5);
  const mean = (part: 'weight' | 'bias') =>
    Array.from(exact![part].data, (value, index) => (value + unrelated![part].data[index]!) / 2);
  close(both!.weight.data, mean('weight'));
  close(both!.bias.data, mean('bias'));
  assert.ok(Math.abs(both!.relativeError - unrelated!.relativeError / 2) < 1e-5);
  // A sliding window has several pairs of one front block: each pair counts alike, as in SN-Net.
  const ofThree = (part: 'weight' | 'bias') =>
    Array.from(exact![part].data, (value, at) => (value + unrelated![part].data[at]! + other![part].data[at]!) / 3);
  close(window!.weight.data, ofThree('weight'));
  close(window!.bias.data, ofThree('bias'));
  assert.deepEqual([both!.weight.shape, both!.bias.shape, done], [[from, to], [to], [1, 2, 3]]);
  // Only what layers are fitted to is computed, and nothing stays on the device but the network.
  assert.deepEqual(engine.ran.slice(0, 2), ['features of small: 0,1 and ', 'features of large:  and 0,1']);
  assert.equal(engine.ran.length, 6);
  assert.ok([...engine.live].every(({ shape }) => shape[0] !== 4));
});

test('anchors that see different tokens cannot be stitched', async () => {
  const engine = featureEngine();
  const anchors = toDevice(engine, frozenNetwork().anchors);
  const [small, large] = architectures;
  const other = { ...large!, blocks: large!.blocks.map((block) => ({ ...block, positions: block.positions + 1 })) };
  await assert.rejects(
    fitStitchingLayers(engine, { stitchingLayers: layersOf([[0, 0]]) }, anchors, [small!, other], [batch().images]),
    /see the same tokens/,
  );
});
