/** Stitched ConvNeXts: what a stitch computes, trains, costs and merges to, against decompositions and counts by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type * as tf from '@tensorflow/tfjs';
import { createOnnxEngine } from '../../src/engine/onnx/engine.js';
import { layerNorm } from '../../src/engine/ops/layer-norm.js';
import { linear } from '../../src/engine/ops/linear.js';
import { toDevice } from '../../src/engine/transfer.js';
import { runNetwork } from '../../src/models/blockwise.js';
import { type ConvNeXtWeights, downsample, embed, runBlock } from '../../src/models/convnext/convnext.js';
import type { Linear } from '../../src/models/layers.js';
import { initialWeights } from '../../src/models/weights.js';
import { type Float32NdArray, float32, isFloat32, sizeOf } from '../../src/shared/arrays.js';
import { Random } from '../../src/shared/random.js';
import { mapTree } from '../../src/shared/tree.js';
import { fitStitchingLayers } from '../../src/stitching/fit/stitching-layers.js';
import { initialTrainables } from '../../src/stitching/parameters/initial.js';
import { mergeStitch } from '../../src/stitching/parameters/merge.js';
import { namedTrainables, nameOf } from '../../src/stitching/parameters/names.js';
import { trainableShapes } from '../../src/stitching/parameters/shapes.js';
import {
  mapTrainables,
  noTrainables,
  pickTrainables,
  type Trainables,
} from '../../src/stitching/parameters/trainables.js';
import {
  type Adaptation,
  type StitchableNetwork,
  stitchFlops,
  stitchParams,
  trainableParams,
} from '../../src/stitching/space/cost.js';
import { isAnchor, type Stitch } from '../../src/stitching/space/stitch.js';
import { type FrozenPath, frozenPathOf, runStitch } from '../../src/stitching/stitchable-network.js';
import { gradientsOf } from '../../src/training/gradients.js';
import { namedLeaves } from '../../src/training/parameters.js';
import { assertClose, onEngine, onReference, randomArray } from '../engine/tensors.js';
import { architectures, space } from './mini-convnexts.js';

const pst: Adaptation = { ranks: [2, 2, 3], stitchingLayerRank: 2, stitchBias: true };
const network: StitchableNetwork = { anchors: architectures, classes: 3, adaptation: pst };
const images = randomArray(Random.of(0, 'images'), [2, 32, 32, 3]);

/** Weights of a size at which everything matters; layer scale of fresh networks would hide the blocks. */
const anchors = architectures.map((architecture) => {
  const weights = initialWeights(architecture, Random.of(0, architecture.name));
  const spread = (array: Float32NdArray, path: string) => {
    const random = Random.of(1, architecture.name, path);
    return float32(
      array.shape,
      array.data.map((value) => 2 * value + 0.2 * random.normal()),
    );
  };
  return mapTree(weights, isFloat32, spread) as ConvNeXtWeights<Float32NdArray>;
});
const crossings = space.stitchingLayers.map(({ fromAnchor, toAnchor, pairs }) => {
  const [front, end] = pairs[0]!;
  const [from, to] = [architectures[fromAnchor]!.blocks[front]!.width, architectures[toAnchor]!.blocks[end]!.width];
  const random = Random.of(0, 'layer', fromAnchor, front);
  return { weight: randomArray(random, [from, to]), bias: randomArray(random, [to]) };
});
const frozen = { anchors, layers: crossings };

/** No tensor is zero, as in the middle of a training. */
const trained = mapTrainables(initialTrainables(space, network, 0), ({ shape, data }, path) => {
  const random = Random.of(2, nameOf(path));
  return float32(
    shape,
    data.map((value) => value + 0.3 * random.normal()),
  );
});
const ownOf = (stitch: Stitch) => pickTrainables(trained, trainableShapes(stitch, network));
const headsOf = ({ heads }: Pick<typeof trained, 'heads'>) => ({ ...noTrainables, heads });

function logitsOf(stitch: Stitch, frozen: FrozenPath<Float32NdArray>, trainables: Trainables<Float32NdArray>) {
  const run = (given: Given) => runStitch(stitch, given.frozen, given.trainables, given.images, architectures);
  return onReference(run, { frozen, trainables, images });
}

interface Given {
  readonly frozen: FrozenPath<tf.Tensor>;
  readonly trainables: Trainables<tf.Tensor>;
  readonly images: tf.Tensor;
}

test('the family has stitches in three stages', () => {
  // T to S: one block a stage stitches to nothing but in the third, 2 blocks to 4: 3 pairs. S to B: 3 pairs there.
  assert.equal(space.stitches.length, 3 + 3 + 3);
  assert.deepEqual(
    space.stitches.slice(3).map(({ path }) => path.map(({ blocks }) => blocks.join('-')).join(' > ')),
    ['0-3 > 3-7', '0-4 > 4-7', '0-4 > 5-7', '0-3 > 3-7', '0-4 > 4-7', '0-5 > 5-7'],
  );
});

test('an anchor without what PST adds is the network itself', () => {
  for (const anchor of [0, 2]) {
    const heads = headsOf(trained);
    const run = (given: { weights: ConvNeXtWeights<tf.Tensor>; head: Linear<tf.Tensor>; images: tf.Tensor }) =>
      runNetwork(architectures[anchor]!, given.weights, given.head, given.images);
    const alone = onReference(run, { weights: anchors[anchor]!, head: trained.heads[anchor]!, images });
    const stitch = space.stitches[anchor]!;
    assertClose(logitsOf(stitch, frozenPathOf(frozen, [stitch]), heads), alone, 1e-6);
  }
});

test('a stitch enters behind the downsampling of its end anchor, and passes the later ones', () => {
  // Stitch 3: T[0-3) -> S[3-7); block 2 of T is the first of the third stage, block 3 of S the second of that stage.
  const stitch = space.stitches[3]!;
  const run = (given: {
    anchors: ConvNeXtWeights<tf.Tensor>[];
    layer: { weight: tf.Tensor; bias: tf.Tensor };
    head: Linear<tf.Tensor>;
    images: tf.Tensor;
  }) => {
    const [tiny, small] = given.anchors as [ConvNeXtWeights<tf.Tensor>, ConvNeXtWeights<tf.Tensor>];
    let x = runBlock(tiny.blocks[0]!, embed(tiny.embedding, given.images));
    x = runBlock(tiny.blocks[1]!, downsample(tiny.blocks[1]!, x));
    x = runBlock(tiny.blocks[2]!, downsample(tiny.blocks[2]!, x));
    x = linear(x, given.layer.weight, given.layer.bias);
    for (const block of [3, 4, 5]) x = runBlock(small.blocks[block]!, x);
    x = runBlock(small.blocks[6]!, downsample(small.blocks[6]!, x));
    const pooled = layerNorm(x.mean([1, 2]), small.norm.scale, small.norm.offset, 1e-6);
    return linear(pooled, given.head.weight, given.head.bias);
  };
  const byHand = onReference(run, { anchors, layer: crossings[0]!, head: trained.heads[1]!, images });
  assertClose(logitsOf(stitch, frozenPathOf(frozen, [stitch]), headsOf(trained)), byHand, 1e-6);
});

test('merged equals unmerged for every stitch', () => {
  for (const stitch of space.stitches) {
    const own = ownOf(stitch);
    const unmerged = logitsOf(stitch, frozenPathOf(frozen, [stitch]), own);
    const merged = logitsOf(stitch, mergeStitch(stitch, frozen, trained, architectures), headsOf(own));
    // float32 on both sides: 1e-5 of the largest logit.
    assertClose(merged, unmerged, 1e-5);
    assert.throws(() => assertClose(logitsOf(stitch, frozenPathOf(frozen, [stitch]), headsOf(own)), unmerged, 1e-3));
  }
});

test('everything a stitch trains has a gradient, also on the engine', async () => {
  const stitch = space.stitches[7]!;
  const gradients = (given: Given) =>
    gradientsOf(given.trainables, (trainables) =>
      runStitch(stitch, given.frozen, trainables, given.images, architectures).square().sum<tf.Scalar>(),
    ).gradients;
  const inputs = { frozen: frozenPathOf(frozen, [stitch]), trainables: ownOf(stitch), images };
  const expected = onReference(gradients, inputs);
  for (const [name, values] of expected)
    assert.ok(
      values.some((value) => Math.abs(value) > 1e-6),
      name,
    );
  const engine = await createOnnxEngine({ threads: 1 });
  // tfjs' own kernels on the other side; float32 through 7 blocks.
  assertClose(await onEngine(engine, 'gradients', gradients, inputs), expected, 1e-3);
  await engine.dispose();
});

test('costs are those of the tensors: trainables of PST and of full fine-tuning, parameters', () => {
  const full: StitchableNetwork = { ...network, adaptation: 'full' };
  const counted = (shapes: Trainables<readonly number[]>) =>
    Object.values(namedTrainables(shapes)).reduce((sum, shape) => sum + sizeOf(shape), 0);
  const leaves = namedLeaves<Float32NdArray>(frozen);
  for (const stitch of space.stitches) {
    assert.equal(counted(trainableShapes(stitch, network)), trainableParams(stitch, network).total);
    const everything = trainableShapes(stitch, full);
    assert.equal(counted(everything), trainableParams(stitch, full).total);
    assert.equal(counted(everything), stitchParams(stitch, full).total);
    for (const [path, shape] of Object.entries(everything.weights)) assert.deepEqual(leaves[path]!.shape, shape, path);
  }
});

test('FLOPs of a stitch, counted by hand', () => {
  // Stitch 3 at 32 x 32: 8 x 8, 4 x 4, 2 x 2 and 1 pixels; T and S have 8, 16, 32, 64 channels.
  const stitch = space.stitches[3]!;
  const block = (pixels: number, width: number) => pixels * (49 * width + 5 * width + 8 * width ** 2);
  const down = (pixels: number, from: number, to: number) => 4 * pixels * 5 * from + pixels * 4 * from * to;
  const front =
    64 * 48 * 8 + 5 * 64 * 8 + block(64, 8) + down(16, 8, 16) + block(16, 16) + down(4, 16, 32) + block(4, 32);
  const end = 3 * block(4, 32) + down(1, 32, 64) + block(1, 64) + 5 * 64 + 64 * 3;
  assert.equal(stitchFlops(stitch, { ...network, adaptation: 'full' }), front + 4 * 32 * 32 + end);
  // Rank 2 on fc1 and fc2: 10 P D r a block; on a downsampling from D to 2 D: 6 P D r; rank 2 on the stitching layer.
  const inBlocks = 10 * 2 * (64 * 8 + 16 * 16 + 4 * 32 + 3 * 4 * 32 + 64);
  const updates = inBlocks + 6 * 2 * (16 * 8 + 4 * 16 + 32) + 4 * (32 + 32) * 2;
  assert.equal(stitchFlops(stitch, network), front + 4 * 32 * 32 + end + updates);
});

test('stitching layers start from least squares: between equal anchors it is the identity', async () => {
  // Both anchors are one network, and front block j leads to end block j + 1: what leaves j is what enters j + 1.
  const twins = [architectures[1]!, architectures[1]!];
  const twinSpace = { stitchingLayers: space.stitchingLayers.filter(({ fromAnchor }) => fromAnchor === 1) };
  const engine = await createOnnxEngine({ threads: 1 });
  const weights = toDevice(engine, anchors[1]!);
  const layers = twinSpace.stitchingLayers.map((layer) => ({ ...layer, fromAnchor: 0, toAnchor: 1 }));
  const batches = [randomArray(Random.of(3), [24, 32, 32, 3])];
  const started = await fitStitchingLayers(engine, { stitchingLayers: layers }, [weights, weights], twins, batches);
  await engine.dispose();
  assert.equal(started.length, 3);
  for (const { weight, bias, relativeError } of started) {
    assert.ok(relativeError < 1e-4, `relative error ${relativeError}`);
    const width = weight.shape[0]!;
    for (let at = 0; at < width * width; at++) {
      const wanted = at % (width + 1) === 0 ? 1 : 0;
      assert.ok(Math.abs(weight.data[at]! - wanted) < 1e-3);
    }
    assert.ok(bias.data.every((value) => Math.abs(value) < 1e-2));
  }
});

test('only anchors have no stitching layer', () => {
  for (const stitch of space.stitches) {
    assert.equal(isAnchor(stitch), stitch.stitchingLayer === undefined);
    assert.equal(trainableShapes(stitch, network).layers[0] !== undefined, stitch.stitchingLayer === 0);
  }
});
