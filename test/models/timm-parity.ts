/** A network against timm: logits, and the gradient of their weighted sum with respect to every parameter. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';

import tf = require('@tensorflow/tfjs');

import { createOnnxEngine } from '../../src/engine/onnx/engine.js';
import { isTensor } from '../../src/engine/tensor.js';
import { type Float32NdArray, float32, isArray, isFloat32, type StateDict } from '../../src/shared/arrays.js';
import { leavesOf, type Mapped, mapTree } from '../../src/shared/tree.js';
import { onEngine } from '../engine/tensors.js';
import { fixture } from '../fixture.js';

type Stored = Record<string, { shape: number[]; data: number[] }>;

type Tensors<Network> = Mapped<Network, Float32NdArray, tf.Tensor>;

export interface NetworkUnderTest<Network> {
  /** Made by the script of the same name in test/fixtures. */
  readonly fixture: string;
  /** Of the images; there are two of them. */
  readonly side: number;
  networkFrom(tensors: StateDict): Network;
  stateDictOf(network: Network): StateDict;
  /** Logits of images [2, side, side, 3]; the leaves of the network are tensors here. */
  run(network: Tensors<Network>, images: tf.Tensor): tf.Tensor;
}

/** Asserts that the largest difference is below 1e-4 of the largest value, tensor by tensor. */
export async function assertEqualsTimm<Network>(tested: NetworkUnderTest<Network>): Promise<void> {
  const stored = JSON.parse(await readFile(fixture(tested.fixture), 'utf8'));
  const tensors = Object.entries(stored.parameters as Stored).map(([name, { shape, data }]) => [
    name,
    float32(shape, Float32Array.from(data)),
  ]);
  const network = tested.networkFrom(Object.fromEntries(tensors));
  const paths = leavesOf(network, isArray).map(({ path }) => path);
  const fn = ({
    network,
    images,
    upstream,
  }: Record<'images' | 'upstream', tf.Tensor> & { network: Tensors<Network> }) => {
    const leaves = leavesOf(network, isTensor).map(({ leaf }) => leaf);
    const logitsOf = (...values: tf.Tensor[]) => {
      const tree = mapTree(network, isTensor, (_, path) => values[paths.indexOf(path)]!);
      return tested.run(tree as never, images);
    };
    const weighted = (...values: tf.Tensor[]) =>
      logitsOf(...values)
        .mul(upstream)
        .sum<tf.Scalar>();
    const { grads } = tf.valueAndGrads(weighted)(leaves);
    return {
      logits: logitsOf(...leaves),
      gradients: Object.fromEntries(paths.map((path, index) => [path, grads[index]!])),
    };
  };
  const engine = await createOnnxEngine({ threads: 1 });
  const results = await onEngine(engine, tested.fixture, fn, {
    network: network as never,
    images: float32([2, tested.side, tested.side, 3], Float32Array.from(stored.images)),
    upstream: float32([2, stored.weights.length / 2], Float32Array.from(stored.weights)),
  });
  await engine.dispose();

  const close = (name: string, got: ArrayLike<number>, wanted: ArrayLike<number>) => {
    const size = Math.max(...Array.from(wanted, Math.abs));
    const error = Math.max(...Array.from(wanted, (value, index) => Math.abs(value - got[index]!))) / size;
    assert.ok(error < 1e-4, `${name}: relative error ${error}`);
  };
  close('logits', results.get('logits')!, stored.logits);
  const gradients = mapTree(network, isFloat32, ({ shape }, path) =>
    float32(shape, Float32Array.from(results.get(`gradients/${path}`)!)),
  ) as Network;
  const inTimmLayout = tested.stateDictOf(gradients);
  assert.deepEqual(Object.keys(inTimmLayout).sort(), Object.keys(stored.gradients).sort());
  for (const [name, { data }] of Object.entries(stored.gradients as Stored)) {
    close(name, inTimmLayout[name]!.data, data);
  }
}
