/** Predictions against timm on torchvision and Pillow, from image file to logits (test/fixtures/make-predict.py). */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { createOnnxEngine } from '../../src/engine/onnx/engine.js';
import { predict, pretrainedClassifier, topClasses } from '../../src/evaluation/predict.js';
import { RequestError } from '../../src/shared/errors.js';
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
