/** Stitched LLaMAs: what a stitch computes, trains and merges to, against decompositions and counts by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type * as tf from '@tensorflow/tfjs';
import { createOnnxEngine } from '../../src/engine/onnx/engine.js';
import { linear } from '../../src/engine/ops/linear.js';
import { toDevice } from '../../src/engine/transfer.js';
import type { LlamaConfig } from '../../src/models/llama/config.js';
import { classify, contextOf, embed, type LlamaWeights, runBlock, runLlama } from '../../src/models/llama/llama.js';
import { initialWeights } from '../../src/models/weights.js';
import { type Float32NdArray, float32, int32, isFloat32, type NdArray, sizeOf } from '../../src/shared/arrays.js';
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
import { type StitchableNetwork, stitchParams, trainableParams } from '../../src/stitching/space/cost.js';
import type { Stitch } from '../../src/stitching/space/stitch.js';
import { type FrozenPath, frozenPathOf, runStitch, runTogether } from '../../src/stitching/stitchable-network.js';
import { gradientsOf } from '../../src/training/gradients.js';
import { namedLeaves } from '../../src/training/parameters.js';
import { assertClose, onEngine, onReference, randomArray } from '../engine/tensors.js';
import { architectures, architecturesOf, configs, scale, space, vocabulary } from './mini-llamas.js';

const network: StitchableNetwork = {
  anchors: architectures,
  classes: vocabulary,
  adaptation: { ranks: [2, 3], stitchingLayerRank: 2, stitchBias: true },
};
const tokens = 5;
/** The second text is two tokens shorter. */
const ids = int32([2, tokens], Int32Array.of(1, 7, 3, 9, 4, -1, -1, 5, 2, 8));

/** Weights of a size at which everything matters. */
const anchors = architectures.map((architecture) => {
  const spread = (array: Float32NdArray, path: string) => {
    const random = Random.of(1, architecture.name, path);
    return float32(
      array.shape,
      array.data.map((value) => 2 * value + 0.3 * random.normal()),
    );
  };
  const weights = initialWeights(architecture, Random.of(0, architecture.name));
  return mapTree(weights, isFloat32, spread) as LlamaWeights<Float32NdArray>;
});
const layers = space.stitchingLayers.map(({ index }) => {
  const random = Random.of(0, 'layer', index);
  return { weight: randomArray(random, [8, 12]), bias: randomArray(random, [12]) };
});
const frozen = { anchors, layers };

/** No tensor is zero, as in the middle of a training. */
const trained = mapTrainables(initialTrainables(space, network, 0), ({ shape, data }, path) => {
  const random = Random.of(2, nameOf(path));
  return float32(
    shape,
    data.map((value) => value + 0.3 * random.normal()),
  );
});
const ownOf = (stitch: Stitch) => pickTrainables(trained, trainableShapes(stitch, network));
/** Block 0 of the small anchor leads to block 1 of the large one. */
const stitch = space.stitches.find(({ path: [front, end] }) => front!.blocks[1] === 1 && end?.blocks[0] === 1)!;

interface Given {
  readonly frozen: FrozenPath<tf.Tensor>;
  readonly trainables: Trainables<tf.Tensor>;
  readonly ids: tf.Tensor;
}

function logitsOf(
  stitch: Stitch,
  frozen: FrozenPath<Float32NdArray>,
  trainables: Trainables<Float32NdArray> = noTrainables,
  given: NdArray = ids,
) {
  const run = (given: Given) => runStitch(stitch, given.frozen, given.trainables, given.ids, architectures);
  return onReference(run, { frozen, trainables, ids: given });
}

test('two blocks lead to four by the nearest rule: blocks 0, 1, 1 to blocks 1, 2, 3', () => {
  assert.deepEqual(
    space.stitches.map(({ path }) => path.map(({ blocks }) => blocks.join('-')).join(' > ')),
    ['0-2', '0-4', '0-1 > 1-4', '0-2 > 2-4', '0-2 > 3-4'],
  );
});

test('an anchor without what PST adds, or before the first step, is the network itself', () => {
  const present = int32([2, tokens], Int32Array.of(1, 1, 1, 1, 1, 0, 0, 1, 1, 1));
  const nonNegative = int32([2, tokens], ids.data.map((id) => Math.max(0, id)) as Int32Array);
  for (const anchor of [0, 1]) {
    const run = (given: { weights: LlamaWeights<tf.Tensor>; ids: tf.Tensor; present: tf.Tensor }) =>
      runLlama(given.weights, given.ids, configs(false)[anchor]!, given.present);
    const alone = onReference(run, { weights: anchors[anchor]!, ids: nonNegative, present });
    const stitch = space.stitches[anchor]!;
    const path = frozenPathOf(frozen, [stitch]);
    assertClose(logitsOf(stitch, path), alone, 1e-6);
    const start = pickTrainables(initialTrainables(space, network, 0), trainableShapes(stitch, network));
    assertClose(logitsOf(stitch, path, start), alone, 1e-6);
  }
});

test('a stitch is the front blocks of one network, its layer, and the rear blocks and head of the other', () => {
  const run = (given: {
    small: LlamaWeights<tf.Tensor>;
    large: LlamaWeights<tf.Tensor>;
    ids: tf.Tensor;
    layer: Layer;
  }) => {
    const [small, large] = configs(false) as [LlamaConfig, LlamaConfig];
    const { small: front, large: end, layer } = given;
    let x = runBlock(front.blocks[0]!, embed(front.embedding, given.ids), small, contextOf(tokens, small));
    x = linear(x, layer.weight, layer.bias);
    for (const block of [1, 2, 3]) x = runBlock(end.blocks[block]!, x, large, contextOf(tokens, large));
    return classify(end, x, large);
  };
  const whole = int32([2, tokens], Int32Array.of(1, 7, 3, 9, 4, 10, 0, 5, 2, 8));
  const layer = layers[stitch.stitchingLayer!]!;
  const byHand = onReference(run, { small: anchors[0]!, large: anchors[1]!, ids: whole, layer });
  assertClose(logitsOf(stitch, frozenPathOf(frozen, [stitch]), noTrainables, whole), byHand, 1e-6);
});

interface Layer {
  readonly weight: tf.Tensor;
  readonly bias: tf.Tensor;
}

test('padding changes nothing: a text alone has the logits that it has behind padding', () => {
  const own = ownOf(stitch);
  const path = frozenPathOf(frozen, [stitch]);
  const [padded] = logitsOf(stitch, path, own).values();
  const [alone] = logitsOf(stitch, path, own, int32([1, 3], Int32Array.of(5, 2, 8))).values();
  const behind = padded!.slice(-3 * vocabulary);
  assertClose(new Map([['logits', behind]]), new Map([['logits', alone!]]), 1e-5);
});

test('merged equals unmerged for every stitch, with alpha / rank and biases that the network did not have', () => {
  for (const stitch of space.stitches) {
    const unmerged = logitsOf(stitch, frozenPathOf(frozen, [stitch]), ownOf(stitch));
    // float32 on both sides: 1e-5 of the largest logit.
    assertClose(logitsOf(stitch, mergeStitch(stitch, frozen, trained, architectures)), unmerged, 1e-5);
    assert.throws(() => assertClose(logitsOf(stitch, frozenPathOf(frozen, [stitch])), unmerged, 1e-3));
  }
  const { blocks } = mergeStitch(space.stitches[0]!, frozen, trained, architectures)
    .anchors[0] as LlamaWeights<Float32NdArray>;
  const { query, key } = blocks[0]! as unknown as Record<string, { weight: Float32NdArray; bias?: Float32NdArray }>;
  const before = (anchors[0]!.blocks[0]!.query as unknown as { weight: Float32NdArray }).weight.data[0]!;
  const { down, up } = trained.updates[0]![0]!['query']!;
  const product = down.data[0]! * up.data[0]! + down.data[1]! * up.data[8]!;
  assert.ok(Math.abs(query!.weight.data[0]! - before - scale * product) < 1e-6);
  assert.ok(query!.bias && !key!.bias);
});

test('stitches that run together give the logits that each gives alone', () => {
  const stitches = space.stitches.slice(2);
  const shared = { ...noTrainables, updates: trained.updates, layers: trained.layers };
  const path = frozenPathOf(frozen, stitches);
  const run = (given: Given) => runTogether(stitches, given.frozen, given.trainables, given.ids, architectures);
  const [together] = onReference(run, { frozen: path, trainables: shared, ids }).values();
  const alone = stitches.flatMap((stitch) => [...logitsOf(stitch, path, shared).values()].flat());
  assertClose(new Map([['logits', together!]]), new Map([['logits', alone]]), 1e-5);
});

test('everything a stitch trains has a gradient, also on the engine', async () => {
  const gradients = (given: Given) =>
    gradientsOf(given.trainables, (trainables) =>
      runStitch(stitch, given.frozen, trainables, given.ids, architectures).square().sum<tf.Scalar>(),
    ).gradients;
  const inputs = { frozen: frozenPathOf(frozen, [stitch]), trainables: ownOf(stitch), ids };
  const expected = onReference(gradients, inputs);
  for (const [name, values] of expected) assert.ok(Math.max(...values.map(Math.abs)) > 1e-6, name);
  const engine = await createOnnxEngine({ threads: 1 });
  // tfjs' own kernels on the other side; float32 through 4 blocks.
  assertClose(await onEngine(engine, 'gradients', gradients, inputs), expected, 1e-3);
  await engine.dispose();
});

test('tensors are called as those of the other families; the head is not trained', () => {
  const { id, stitchingLayer: layer } = stitch;
  const shapes = namedTrainables(trainableShapes(stitch, network));
  const updates = (anchor: number, block: number, [width, queries, values]: number[], rank: number) => ({
    [`update/${anchor}/${block}/query/down`]: [1, width, rank],
    [`update/${anchor}/${block}/query/up`]: [1, rank, queries],
    [`update/${anchor}/${block}/value/down`]: [1, width, rank],
    [`update/${anchor}/${block}/value/up`]: [1, rank, values],
  });
  assert.deepEqual(shapes, {
    ...updates(0, 0, [8, 8, 8], 2),
    ...updates(1, 1, [12, 12, 6], 3),
    ...updates(1, 2, [12, 12, 6], 3),
    ...updates(1, 3, [12, 12, 6], 3),
    [`bias/${id}/0`]: [8 + 8],
    [`bias/${id}/1`]: [3 * (12 + 6)],
    [`layer/${layer}/down`]: [8, 2],
    [`layer/${layer}/up`]: [2, 12],
    [`bias/${id}/layer`]: [12],
  });
});

test('costs are those of the tensors, with a head of its own and with a tied one', () => {
  const counted = (shapes: Trainables<readonly number[]>) =>
    Object.values(namedTrainables(shapes)).reduce((sum, shape) => sum + sizeOf(shape), 0);
  for (const tied of [false, true]) {
    const pst = { ...network, anchors: architecturesOf(tied) };
    const full: StitchableNetwork = { ...pst, adaptation: 'full' };
    for (const stitch of space.stitches) {
      assert.equal(counted(trainableShapes(stitch, pst)), trainableParams(stitch, pst).total);
      const everything = trainableShapes(stitch, full);
      assert.equal(counted(everything), trainableParams(stitch, full).total);
      assert.equal(counted(everything), stitchParams(stitch, full).total);
      if (tied) continue;
      const leaves = namedLeaves<Float32NdArray>(frozen);
      for (const [path, shape] of Object.entries(everything.weights))
        assert.deepEqual(leaves[path]!.shape, shape, path);
    }
  }
});

test('stitching layers start from least squares: between equal anchors it is the identity', async () => {
  // Both anchors are one network, and what leaves block 0 is what enters block 1.
  const engine = await createOnnxEngine({ threads: 1 });
  const weights = toDevice(engine, anchors[0]!);
  const random = Random.of(3);
  const texts = int32(
    [16, tokens],
    Int32Array.from({ length: 16 * tokens }, () => random.integer(vocabulary)),
  );
  const layer = { index: 0, fromAnchor: 0, toAnchor: 1, pairs: [[0, 1]] as const };
  const twins = [architectures[0]!, architectures[0]!];
  const [started] = await fitStitchingLayers(engine, { stitchingLayers: [layer] }, [weights, weights], twins, [texts]);
  await engine.dispose();
  assert.ok(started!.relativeError < 1e-4);
  for (const [at, value] of started!.weight.data.entries()) {
    assert.ok(Math.abs(value - (at % 9 === 0 ? 1 : 0)) < 1e-3, `${at}: ${value}`);
  }
});
