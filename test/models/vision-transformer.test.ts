/** The network against timm's VisionTransformer (fixture: test/fixtures/make-vit.py): logits and every gradient. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import * as tf from '@tensorflow/tfjs';
import type { TensorFunction } from '../../src/engine/engine.js';
import { createOnnxEngine } from '../../src/engine/onnx/engine.js';
import { type ViTVariant, variantNamed } from '../../src/models/variants.js';
import { type Linear, runViT, type ViTWeights } from '../../src/models/vision-transformer.js';
import { headFrom, initialHead, initialWeights, stateDictOf, weightsFrom } from '../../src/models/vit-weights.js';
import { float32, type StateDict } from '../../src/shared/arrays.js';
import { Random } from '../../src/shared/random.js';
import { leavesOf, mapTree, type Tree } from '../../src/shared/tree.js';
import { isArray, onEngine } from '../engine/tensors.js';
import { fixture } from '../fixture.js';

const variant: ViTVariant = {
  name: 'fixture',
  width: 8,
  depth: 2,
  heads: 2,
  mlpRatio: 4,
  patchSize: 4,
  imageSize: 8,
  classes: 3,
};
type Stored = Record<string, { shape: number[]; data: number[] }>;
const stateDict = (stored: Stored): StateDict =>
  Object.fromEntries(
    Object.entries(stored).map(([name, { shape, data }]) => [name, float32(shape, Float32Array.from(data))]),
  );

test('logits and gradients equal timm to 1e-4 relative', async () => {
  const stored = JSON.parse(await readFile(fixture('vit.json'), 'utf8'));
  const tensors = stateDict(stored.parameters);
  const network = { weights: weightsFrom(tensors, variant), head: headFrom(tensors)! };
  const paths = leavesOf(network as never, isArray).map(({ path }) => path);
  const fn: TensorFunction = ({ network, images, upstream }: never) => {
    const isLeaf = (node: Tree<tf.Tensor>): node is tf.Tensor => node instanceof tf.Tensor;
    const leaves = leavesOf(network as Tree<tf.Tensor>, isLeaf);
    const logitsOf = (...values: tf.Tensor[]) => {
      const tree = mapTree(
        network as Tree<tf.Tensor>,
        isLeaf,
        (_, path) => values[paths.indexOf(path)]!,
      ) as unknown as {
        weights: ViTWeights<tf.Tensor>;
        head: Linear<tf.Tensor>;
      };
      return runViT(tree.weights, tree.head, images, variant);
    };
    const all = leaves.map(({ leaf }) => leaf);
    const weighted = (...values: tf.Tensor[]) =>
      logitsOf(...values)
        .mul(upstream)
        .sum();
    const { grads } = tf.valueAndGrads(weighted as never)(all);
    return {
      logits: logitsOf(...all),
      gradients: Object.fromEntries(paths.map((path, index) => [path, grads[index]!])),
    };
  };
  const engine = await createOnnxEngine({ threads: 1 });
  const results = await onEngine(engine, 'vit', fn, {
    network: network as never,
    images: float32([2, 8, 8, 3], Float32Array.from(stored.images)),
    upstream: float32([2, 3], Float32Array.from(stored.weights)),
  });
  await engine.dispose();

  const close = (name: string, got: ArrayLike<number>, wanted: ArrayLike<number>) => {
    const size = Math.max(...Array.from(wanted, Math.abs));
    const error = Math.max(...Array.from(wanted, (value, index) => Math.abs(value - got[index]!))) / size;
    assert.ok(error < 1e-4, `${name}: relative error ${error}`);
  };
  close('logits', results.get('logits')!, stored.logits);
  const gradients = mapTree(network as never, isArray, ({ shape }, path) =>
    float32(shape, Float32Array.from(results.get(`gradients/${path}`)!)),
  ) as unknown as typeof network;
  const inTimmLayout = stateDictOf(gradients.weights, variant, gradients.head);
  for (const [name, { data }] of Object.entries(stored.gradients as Stored))
    close(name, inTimmLayout[name]!.data, data);
});

test('weights survive the way to the state dict and back', () => {
  const mini = variantNamed('vit_mini_tiny');
  const weights = initialWeights(mini, Random.of(1, 'weights'));
  const head = initialHead(mini.width, 5, Random.of(1, 'head'));
  const tensors = stateDictOf(weights, mini, head);
  assert.deepEqual(weightsFrom(tensors, mini), weights);
  assert.deepEqual(headFrom(tensors), head);
  assert.equal(Object.keys(tensors).length, 152);
});
