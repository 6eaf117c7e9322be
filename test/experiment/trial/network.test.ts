/** The networks of a trial: which stitches, weights and starts they have. The fit of stitching layers is tested on its own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOnnxEngine } from '../../../src/engine/onnx/engine.js';
import { toHost } from '../../../src/engine/transfer.js';
import { spaceOf } from '../../../src/experiment/space.js';
import {
  initialParameters,
  mergeAnchors,
  networkOfAnchors,
  networkOfTrained,
} from '../../../src/experiment/trial/network.js';
import type { Norm } from '../../../src/models/layers.js';
import { initialWeights } from '../../../src/models/weights.js';
import { type Float32NdArray, float32 } from '../../../src/shared/arrays.js';
import { Random } from '../../../src/shared/random.js';
import { mergeStitch } from '../../../src/stitching/parameters/merge.js';
import { namedTrainables } from '../../../src/stitching/parameters/names.js';
import { trainableShapes } from '../../../src/stitching/parameters/shapes.js';
import { noTrainables } from '../../../src/stitching/parameters/trainables.js';
import { stitchFlops, stitchParams } from '../../../src/stitching/space/cost.js';
import { flopsBins } from '../../../src/stitching/space/flops-bins.js';
import { namedLeaves } from '../../../src/training/parameters.js';
import { architectures, frozenNetwork, networkOf, pst, space, trainables } from '../../training/miniature-network.js';
import { hostEngine, hostNetwork } from './host-engine.js';

const engine = hostEngine({});
const { heads } = trainables();
const parts = { architectures, space, classes: 3, anchors: { weights: frozenNetwork().anchors, heads } };

test('anchors alone: no stitches between them, one bin for all but the largest', async () => {
  const network = networkOfAnchors(engine, parts, { ...pst, stitchBias: false });
  assert.deepEqual(network.space, { stitches: space.stitches.slice(0, 2), stitchingLayers: [] });
  assert.deepEqual([network.bins.bins, network.bins.largestAnchor, network.teacher.id], [[[0]], 1, 1]);
  assert.deepEqual(
    network.flops,
    network.space.stitches.map((stitch) => stitchFlops(stitch, network.network)),
  );
  assert.deepEqual(network.network.adaptation, { ...pst, stitchBias: false });
  assert.deepEqual(network.startErrors, []);
  assert.deepEqual(network.start, { heads });
  assert.deepEqual(await toHost(engine, network.frozen), { anchors: frozenNetwork().anchors, layers: [] });
});

test('what anchors learned alone becomes part of their weights, and their heads go on', () => {
  const trained = trainables();
  const merged = mergeAnchors({ ...parts.anchors, heads: {} }, { space, architectures }, trained);
  assert.deepEqual(merged.heads, trained.heads);
  const frozen = { anchors: frozenNetwork().anchors, layers: [] };
  for (const anchor of [0, 1]) {
    const { anchors } = mergeStitch(space.stitches[anchor]!, frozen, trained, architectures);
    assert.deepEqual(merged.weights[anchor], anchors[anchor]);
    assert.notDeepEqual(merged.weights[anchor], frozen.anchors[anchor]);
  }
});

test('only what the given stitches train has a start: heads as they are, all weights of full fine-tuning', async () => {
  const network = { ...hostNetwork(engine), start: { heads } };
  const stitch = space.stitches[2]!;
  const start = await initialParameters(engine, network, [2], 3);
  assert.deepEqual(
    Object.keys(start).sort(),
    Object.keys(namedTrainables(trainableShapes(stitch, networkOf()))).sort(),
  );
  assert.deepEqual(start['head/1/weight'], heads[1]!.weight);
  const again = await initialParameters(engine, network, [2], 4);
  assert.notDeepEqual(again['update/1/1/attention/down'], start['update/1/1/attention/down'], 'another seed');

  const full = await initialParameters(engine, hostNetwork(engine, 'full'), [2], 3);
  const pretrained = namedLeaves<Float32NdArray>(frozenNetwork());
  const weights = Object.entries(full).filter(([name]) => name.startsWith('weights/'));
  assert.ok(weights.length > 10);
  for (const [name, array] of weights) assert.deepEqual(array, pretrained[name.slice('weights/'.length)], name);
});

test('training goes on from all that was trained before, also where that is the weights themselves', async () => {
  const anchors = [
    { name: 'Ti', architecture: 'vit_mini_tiny', checkpoint: 'none' },
    { name: 'S', architecture: 'vit_mini_small', checkpoint: 'none' },
  ];
  const shapes = spaceOf(anchors, { kernel: 2, stride: 1 });
  const weights = shapes.architectures.map((shape) => initialWeights(shape, Random.of(0, shape.name)));
  const engine = await createOnnxEngine({ threads: 1 });
  const parts = { ...shapes, classes: 2, anchors: { weights, heads: {} } };
  const scale = float32([32], new Float32Array(32).fill(5));
  const head = { weight: float32([32, 2], new Float32Array(64).fill(6)), bias: float32([2]) };
  const name = 'anchors/0/norm/scale';
  const trainables = { ...noTrainables, weights: { [name]: scale }, heads: { 0: head } };
  const network = networkOfTrained(engine, parts, 'full', { count: 2 }, { file: 'trained', layers: [], trainables });
  const start = await initialParameters(engine, network, [0], 0);
  assert.deepEqual(start[`weights/${name}`], scale);
  assert.deepEqual(start['head/0/weight'], head.weight);
  // What was not trained before starts as it is in the network.
  const { offset } = weights[0]!.norm as Norm<Float32NdArray>;
  assert.deepEqual(start['weights/anchors/0/norm/offset'], offset);
  await engine.dispose();
});

test('bins are of FLOPs, of parameters where the recipe says so, and between edges where it names some', () => {
  const trained = { file: 'trained', layers: frozenNetwork().layers, trainables: trainables() };
  const binsOf = (bins: Parameters<typeof networkOfTrained>[3]) =>
    networkOfTrained(engine, parts, pst, bins, trained).bins;
  const flops = space.stitches.map((stitch) => stitchFlops(stitch, networkOf()));
  const params = space.stitches.map((stitch) => stitchParams(stitch, networkOf()).total);
  assert.deepEqual(binsOf({ count: 2 }), flopsBins(flops, 1, { count: 2 }));
  assert.deepEqual(binsOf({ count: 2, over: 'params' }), flopsBins(params, 1, { count: 2 }));
  assert.notDeepEqual(binsOf({ count: 2, over: 'params' }), binsOf({ count: 2 }));
  const [first, second] = space.stitches
    .map(({ id }) => id)
    .filter((id) => id > 1)
    .sort((a, b) => flops[a]! - flops[b]!) as [number, number];
  assert.ok(flops[first]! < flops[second]!);
  const { lowest, width } = binsOf({ count: 2, edges: [first, second] });
  assert.equal(lowest, flops[first]);
  assert.ok(Math.abs(width - (flops[second]! - flops[first]!)) < 1e-6);
});
