import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOnnxEngine } from '../../../src/engine/onnx/engine.js';
import { spaceOf } from '../../../src/experiment/space.js';
import { initialParameters, networkOfTrained } from '../../../src/experiment/trial/network.js';
import type { Norm } from '../../../src/models/layers.js';
import { initialWeights } from '../../../src/models/weights.js';
import { type Float32NdArray, float32 } from '../../../src/shared/arrays.js';
import { Random } from '../../../src/shared/random.js';
import { noTrainables } from '../../../src/stitching/parameters/trainables.js';

test('training goes on from all that was trained before, also where that is the weights themselves', async () => {
  const anchors = [
    { name: 'Ti', architecture: 'vit_mini_tiny', checkpoint: 'none' },
    { name: 'S', architecture: 'vit_mini_small', checkpoint: 'none' },
  ];
  const shapes = spaceOf(anchors, { kernel: 2, stride: 1 });
  const weights = shapes.architectures.map((shape) => initialWeights(shape, Random.of(0, shape.name)));
  const engine = await createOnnxEngine();
  const parts = { ...shapes, classes: 2, anchors: { weights, heads: {} } };
  const scale = float32([32], new Float32Array(32).fill(5));
  const head = { weight: float32([32, 2], new Float32Array(64).fill(6)), bias: float32([2]) };
  const name = 'anchors/0/norm/scale';
  const trainables = { ...noTrainables, weights: { [name]: scale }, heads: { 0: head } };
  const network = networkOfTrained(engine, parts, 'full', { count: 2 }, { layers: [], trainables });
  const start = await initialParameters(engine, network, [0], 0);
  assert.deepEqual(start[`weights/${name}`], scale);
  assert.deepEqual(start['head/0/weight'], head.weight);
  // What was not trained before starts as it is in the network.
  const { offset } = weights[0]!.norm as Norm<Float32NdArray>;
  assert.deepEqual(start['weights/anchors/0/norm/offset'], offset);
  await engine.dispose();
});
