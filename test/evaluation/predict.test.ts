/** Predictions against timm on torchvision and Pillow, from image file to logits (test/fixtures/make-predict.py). */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { createOnnxEngine } from '../../src/engine/onnx/engine.js';
import { type Classifier, predict, pretrainedClassifier, topClasses } from '../../src/evaluation/predict.js';
import { float32 } from '../../src/shared/arrays.js';
import { RequestError } from '../../src/shared/errors.js';
import { hostEngine } from '../experiment/trial/host-engine.js';
import { fixture } from '../fixture.js';
import { temporaryFolder } from '../models/pretrained/fixtures.js';
import { drawImage, writeCheckpoint } from './predict-fixture.js';

const expected = JSON.parse(await readFile(fixture('predict.json'), 'utf8')) as Record<string, number[]>;

for (const architecture of ['vit_mini_tiny', 'convnext_mini_tiny']) {
  test(`${architecture}: logits equal timm to 1e-4 relative`, async (t) => {
    const folder = temporaryFolder(t);
    const checkpoint = await writeCheckpoint(folder, architecture);
    const image = await drawImage(folder);
    const engine = await createOnnxEngine({ threads: 1 });
    const classifier = await pretrainedClassifier(checkpoint, architecture);
    const [first, second] = await predict(engine, classifier, [image, image], 2);
    await engine.dispose();
    const wanted = expected[architecture]!;
    const size = Math.max(...wanted.map(Math.abs));
    assert.equal(first!.logits.length, 5);
    for (const [index, value] of wanted.entries()) {
      const error = Math.abs(first!.logits[index]! - value) / size;
      assert.ok(error < 1e-4, `class ${index}: relative error ${error}`);
    }
    assert.deepEqual(second, first);
    assert.equal(first!.top[0]!.class, wanted.indexOf(Math.max(...wanted)));
    assert.equal(first!.top.length, 2);
  });
}

test('a checkpoint without a head is refused', async (t) => {
  const architecture = 'convnext_mini_tiny';
  const checkpoint = await writeCheckpoint(temporaryFolder(t), architecture, { withHead: false });
  await assert.rejects(
    pretrainedClassifier(checkpoint, architecture),
    (error) => error instanceof RequestError && /holds no classifier/.test(error.message),
  );
});

test('the most probable classes, by hand: softmax of 0, ln 2, ln 5, 0 is 1 : 2 : 5 : 1 of 9', () => {
  const top = topClasses([0, Math.log(2), Math.log(5), 0], 3);
  assert.deepEqual(
    top.map(({ class: index, probability }) => [index, Math.round(probability * 9 * 1e9) / 1e9]),
    [
      [2, 5],
      [1, 2],
      [0, 1],
    ],
  );
  assert.equal(topClasses([1, 2], 5).length, 2);
});

test('what a user states of the images counts', async (t) => {
  const architecture = 'vit_mini_tiny';
  const checkpoint = await writeCheckpoint(temporaryFolder(t), architecture);
  const plain = await pretrainedClassifier(checkpoint, architecture);
  const [mean, std] = [
    [0.1, 0.2, 0.3],
    [0.4, 0.5, 0.6],
  ] as const;
  const stated = await pretrainedClassifier(checkpoint, architecture, { cropShare: 0.9, mean, std });
  // timm: floor(64 / 0.9)
  const resize = { size: 71, keepAspect: true };
  assert.deepEqual(stated.preprocessing, { ...plain.preprocessing, resize, mean, std });
  const half = await pretrainedClassifier(checkpoint, architecture, { std, interpolation: 'bilinear' });
  assert.deepEqual(half.preprocessing, { ...plain.preprocessing, std, interpolation: 'bilinear' });
});

test('an image that cannot be read stops no other, where somebody is told; classes go by their names', async (t) => {
  const folder = temporaryFolder(t);
  const image = await drawImage(folder);
  const engine = hostEngine({});
  const classifier: Classifier = {
    ...{
      preprocessing: (await pretrainedClassifier('embedded', 'vit_mini_tiny')).preprocessing,
      classes: ['no', 'yes'],
    },
    load: () => ({
      run: async () => engine.put(float32([1, 2], Float32Array.of(0, Math.log(3)))),
      free: () => void freed.push('network'),
    }),
  };
  const freed: string[] = [];
  const broken: string[] = [];
  const missing = `${folder}/missing.png`;
  const predictions = await predict(engine, classifier, [missing, image], 1, (name) => broken.push(name));
  assert.deepEqual(broken, [missing]);
  assert.equal(predictions.length, 1);
  const { top, logits, ...about } = predictions[0]!;
  assert.deepEqual(about, { image });
  assert.equal(logits.length, 2);
  const [{ probability, ...best }] = top as [(typeof top)[0]];
  assert.deepEqual(best, { class: 1, name: 'yes', logit: logits[1] });
  assert.ok(Math.abs(probability - 3 / 4) < 1e-7);
  assert.deepEqual([engine.live.size, freed], [0, ['network']]);
  await assert.rejects(predict(engine, classifier, [missing], 1), RequestError);
});

test('of equal logits the lower class comes first; large ones have probabilities too', () => {
  const order = topClasses([5, 5, 7, 5, 5], 5).map(({ class: index }) => index);
  assert.deepEqual(order, [2, 0, 1, 3, 4]);
  assert.equal(topClasses([1000, 0], 1)[0]!.probability, 1);
  assert.equal(topClasses([-1000, -2000], 1)[0]!.probability, 1);
});
