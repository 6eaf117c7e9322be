/** Both engines run the same training steps and must come to the same losses: five steps of SGD on a small network. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import tf = require('@tensorflow/tfjs');

import type { Engine } from '../../src/engine/engine.js';
import { createOnnxEngine } from '../../src/engine/onnx/engine.js';
import { gelu } from '../../src/engine/ops/gelu.js';
import { layerNorm } from '../../src/engine/ops/layer-norm.js';
import { linear } from '../../src/engine/ops/linear.js';
import { createTensorFlowEngine } from '../../src/engine/tensorflow/engine.js';
import { toDevice } from '../../src/engine/transfer.js';
import { type Float32NdArray, int32 } from '../../src/shared/arrays.js';
import { Random } from '../../src/shared/random.js';
import { crossEntropy } from '../../src/training/loss.js';
import { whereInstalled } from './tensorflow/installed.js';
import { randomArray } from './tensors.js';

const [batch, width, hidden, classes, steps] = [8, 6, 16, 3, 5];
const learningRate = 0.1;
type Parameters<T> = Record<'scale' | 'offset' | 'weight1' | 'bias1' | 'weight2' | 'bias2', T>;

function initialParameters(random: Random): Parameters<Float32NdArray> {
  const draw = (...shape: number[]) => randomArray(random, shape);
  return {
    scale: draw(width),
    offset: draw(width),
    weight1: draw(width, hidden),
    bias1: draw(hidden),
    weight2: draw(hidden, classes),
    bias2: draw(classes),
  };
}

function step(inputs: { parameters: Parameters<tf.Tensor>; x: tf.Tensor; labels: tf.Tensor }) {
  const { parameters, x, labels } = inputs;
  const names = Object.keys(parameters) as (keyof Parameters<tf.Tensor>)[];
  const loss = (...tensors: tf.Tensor[]) => {
    const p = Object.fromEntries(names.map((name, index) => [name, tensors[index]!])) as Parameters<tf.Tensor>;
    const activations = gelu(linear(layerNorm(x, p.scale, p.offset, 1e-6), p.weight1, p.bias1));
    return crossEntropy(linear(activations, p.weight2, p.bias2), labels);
  };
  const { value, grads } = tf.valueAndGrads(loss)(names.map((name) => parameters[name]));
  const next = names.map((name, index) => [name, parameters[name].sub(grads[index]!.mul(learningRate))]);
  return { loss: value, parameters: Object.fromEntries(next) as Parameters<tf.Tensor> };
}

async function train(engine: Engine): Promise<number[]> {
  const random = Random.of(0, 'parity');
  const compiled = engine.compile('step', step);
  let parameters = toDevice(engine, initialParameters(random));
  const x = engine.put(randomArray(random, [batch, width]));
  const labels = engine.put(
    int32(
      [batch],
      Int32Array.from({ length: batch }, () => random.integer(classes)),
    ),
  );
  const losses: number[] = [];
  for (let index = 0; index < steps; index++) {
    const next = await compiled({ parameters, x, labels });
    losses.push((await engine.get(next.loss)).data[0]!);
    engine.free([next.loss, parameters]);
    parameters = next.parameters;
  }
  engine.free([parameters, x, labels]);
  return losses;
}

test('five steps give the same losses on onnxruntime and TensorFlow', whereInstalled, async () => {
  const onnxruntime = await createOnnxEngine({ threads: 1 });
  const expected = await train(onnxruntime);
  await onnxruntime.dispose();
  const tensorflow = await createTensorFlowEngine();
  const before = tf.memory().numTensors;
  const losses = await train(tensorflow);
  assert.equal(tf.memory().numTensors, before, 'training left tensors behind');
  assert.ok(losses.at(-1)! < losses[0]!, 'the loss falls');
  const errors = losses.map((loss, index) => Math.abs(loss - expected[index]!));
  assert.ok(Math.max(...errors) <= 1e-5, `losses ${losses} differ from ${expected}`);
});
