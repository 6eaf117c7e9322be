/** The ONNX file of a stitch takes plain pixels: what it does to them before its network sees them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as ort from 'onnxruntime-node';
import { experimentSchema } from '../../../src/config/schema/experiment.js';
import { onnxModelOf } from '../../../src/experiment/deployed/export-network.js';
import type { StitchNetwork } from '../../../src/experiment/deployed/trained-trial.js';
import { float32 } from '../../../src/shared/arrays.js';

const [mean, std] = [
  [0.1, 0.5, 0.9],
  [0.2, 0.25, 0.5],
];
const weight = float32([1], Float32Array.of(3));

/** "Logits" are the channels of the pixel in the corner, three times. */
const network = {
  trial: 'written',
  result: { id: 4, path: [], flops: 1, params: 2, trainable: 3 },
  classes: ['a', 'b', 'c'],
  preprocessing: { resize: { size: 2, keepAspect: true }, crop: 2, interpolation: 'bicubic', mean, std },
  experiment: experimentSchema.parse({
    name: 'x',
    anchors: ['tiny', 'small'].map((name) => ({ name, architecture: `vit_mini_${name}`, checkpoint: 'embedded' })),
    data: { kind: 'species' },
    adaptation: { ranks: [1, 1] },
  }),
  weights: { path: { anchors: {}, layers: {} }, head: { weight, bias: weight } },
  logits: (({ head }, images) =>
    images.slice([0, 0, 0, 0], [-1, 1, 1, 3]).reshape([-1, 3]).mul(head.weight)) as StitchNetwork['logits'],
} as unknown as StitchNetwork;

test('values from 0 to 255 are normalised channel by channel', async () => {
  const { model, images } = onnxModelOf(network);
  assert.deepEqual(images, ['batch', 2, 2, 3]);
  const pixels = Float32Array.from({ length: 2 * 12 }, (_, index) => 10 * index);
  const session = await ort.InferenceSession.create(model);
  const { logits } = await session.run({ images: new ort.Tensor('float32', pixels, [2, 2, 2, 3]) });
  await session.release();
  assert.deepEqual(logits!.dims, [2, 3]);
  for (const [index, value] of (logits!.data as Float32Array).entries()) {
    const channel = index % 3;
    const pixel = pixels[12 * Math.floor(index / 3) + channel]!;
    const expected = (3 * (pixel / 255 - mean![channel]!)) / std![channel]!;
    assert.ok(Math.abs(value - expected) < 1e-5, `${index}: ${value} ${expected}`);
  }
});

test('a batch of one size, what it says of itself, and weights of half the bytes', () => {
  const { model, images } = onnxModelOf(network, 5);
  assert.deepEqual(images, [5, 2, 2, 3]);
  const text = Buffer.from(model).toString('latin1');
  for (const part of [network.classes, network.preprocessing, network.result]) {
    assert.ok(text.includes(JSON.stringify(part)), JSON.stringify(part));
  }
  assert.ok(text.includes('Apache-2.0'));
  const many = float32([1, 3], new Float32Array(3).fill(1 / 3));
  const head = { weight: float32([3], new Float32Array(3)), bias: many };
  const heavy = { ...network, weights: { ...network.weights, head } } as StitchNetwork;
  const sizeOf = (precision?: 'float32' | 'float16') =>
    onnxModelOf(heavy, 1, precision ? { precision } : {}).model.length;
  assert.equal(sizeOf(), sizeOf('float32'));
  assert.notEqual(sizeOf(), sizeOf('float16'));
});
