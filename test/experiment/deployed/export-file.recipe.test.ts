/** An exported file answers as `esta predict` does, on the same decoded pixels, and says what it is. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import * as ort from 'onnxruntime-node';
import sharp from 'sharp';
import type { Precision } from '../../../src/config/deployment-options.js';
import type { ImageDatasetConfig } from '../../../src/config/schema/dataset.js';
import { trialsOf } from '../../../src/config/trials.js';
import { loadDataset } from '../../../src/data/load.js';
import { predict } from '../../../src/evaluation/predict.js';
import { openDeployed } from '../../../src/experiment/deployed/deployed-network.js';
import { comparisonText, exportFile } from '../../../src/experiment/deployed/export-file.js';
import { spread, testImagesOf } from '../../../src/experiment/deployed/test-images.js';
import { type Float32NdArray, float32 } from '../../../src/shared/arrays.js';
import { silentProgress } from '../../../src/shared/progress.js';
import { miniature } from '../miniature.js';
import { openCvRuntime } from './opencv.js';

test('exported files', async (t) => {
  const mini = await miniature(t);
  // Images that need no resizing, so that sharp's pixels are those that the network sees.
  const experiment = mini.experiment({ preprocessing: { resize: 64, crop: 64 }, training: { epochs: 1 } });
  const [result] = await mini.run(experiment, 'run');
  const stitched = result!.stitches.find(({ path }) => path.length === 2)!;
  const network = await openDeployed(path.join(mini.folder, 'run'), { stitch: stitched.id });
  const { splits } = await loadDataset(trialsOf(experiment)[0]!.dataset as ImageDatasetConfig, mini.cacheFolder);
  const files = splits.test.map(({ file }) => file);
  const options = { progress: silentProgress, cacheFolder: mini.cacheFolder };
  const expected = await predict(mini.engine, network, files, 1);
  const size = Math.max(...expected.flatMap(({ logits }) => logits.map(Math.abs)));

  /** Largest difference to `predict`, of pixels decoded by sharp, all images in one batch. */
  const differenceOf = async (file: string) => {
    const pixels = await Promise.all(files.map((image) => sharp(image).removeAlpha().raw().toBuffer()));
    const session = await ort.InferenceSession.create(file);
    const images = new ort.Tensor('float32', Float32Array.from(Buffer.concat(pixels)), [files.length, 64, 64, 3]);
    const { logits } = await session.run({ images });
    await session.release();
    const all = expected.flatMap(({ logits }) => logits);
    return Math.max(...all.map((value, index) => Math.abs(value - (logits!.data[index] as number))));
  };

  await t.test('give the same logits for a batch of all test images', async () => {
    for (const operators of ['standard', 'onnxruntime'] as const) {
      const file = path.join(mini.folder, `${operators}.onnx`);
      const exported = await exportFile(network, file, { ...options, operators });
      const difference = await differenceOf(file);
      assert.ok(difference < 1e-5 * size, `${operators}: ${difference}`); // sums of float32 in another order
      const { comparison } = exported;
      assert.deepEqual([comparison.images, comparison.of, comparison.sameClass], [12, 'test images', 12]);
      assert.ok(Math.abs(comparison.largestLogit - size) < 1e-4 * size);
      assert.ok(comparison.largestDifference < 1e-5 * size);
      assert.equal(exported.accuracy, undefined, 'that of the run');
    }
  });

  await t.test('give the same logits in a second runtime', async (t) => {
    const runtime = await openCvRuntime();
    if (!runtime) return t.skip('@techstark/opencv-js is not installed: npm ci');
    const images = await twoImages(files);
    const logits = expected.slice(0, 2).flatMap(({ logits }) => logits);
    const compare = async (precision: Precision, tolerance: number) => {
      const file = path.join(mini.folder, `opencv-${precision}.onnx`);
      // It takes the number of images from the file: one where that says any number.
      await exportFile(network, file, { ...options, operators: 'standard', precision, batch: 2 });
      const answer = await runtime(file, images);
      assert.equal(answer.length, 4);
      const difference = Math.max(...logits.map((value, index) => Math.abs(value - answer[index]!)));
      assert.ok(difference < tolerance * size, `${precision}: ${difference} of ${size}`);
    };
    await compare('float32', 1e-5);
    await compare('int8', 0.05);
  });

  await t.test('are described in a JSON file beside, and in their metadata', async () => {
    const file = path.join(mini.folder, 'described.onnx');
    const exported = await exportFile(network, file, options);
    assert.deepEqual(JSON.parse(await readFile(path.join(mini.folder, 'described.json'), 'utf8')), exported);
    assert.deepEqual(exported.stitch, stitched);
    assert.deepEqual(exported.input.images, ['batch', 64, 64, 3]);
    assert.deepEqual(exported.output.logits, ['batch', 2]);
    assert.match(exported.licence, /^as the weights that were adapted: .*Ti\.safetensors, .*S\.safetensors$/);
    const text = (await readFile(file)).toString();
    for (const part of [exported.classes, exported.preprocessing, exported.stitch, exported.licence]) {
      assert.ok(text.includes(JSON.stringify(part)), JSON.stringify(part));
    }
  });

  await t.test('with weights of fewer bits have an accuracy of their own', async () => {
    for (const precision of ['float16', 'int8'] as const) {
      const file = path.join(mini.folder, `${precision}.onnx`);
      const { accuracy, comparison, bytes } = await exportFile(network, file, { ...options, precision, batch: 5 });
      assert.equal(bytes, (await readFile(file)).length);
      assert.ok(comparison.largestDifference > 0);
      // With 12 images the accuracy is that of the full weights, or one image more or less.
      assert.ok(Math.abs(accuracy! - stitched.accuracy) < 9, `${precision}: ${accuracy}, ${stitched.accuracy}`);
    }
  });

  await t.test('are compared on random pixels where the images are gone', async () => {
    const lines: string[] = [];
    const gone = { ...network, classes: ['other', 'names'] };
    const progress = { ...silentProgress, line: (text: string) => lines.push(text) };
    const { comparison } = await exportFile(gone, path.join(mini.folder, 'gone.onnx'), { ...options, progress });
    assert.match(lines.join(), /random pixels: the data set species has other classes/);
    assert.match(comparisonText(comparison), /^largest difference .* same class in 4 of 4 images of random pixels$/);
    assert.deepEqual(await testImagesOf({ ...network, trial: 'x', dataset: 'y' }), {
      absent: 'the experiment of x has no data set y',
    });
  });
});

/** Plain pixels of the first two files. */
async function twoImages(files: readonly string[]): Promise<Float32NdArray> {
  const pixels = await Promise.all(files.slice(0, 2).map((image) => sharp(image).removeAlpha().raw().toBuffer()));
  return float32([2, 64, 64, 3], Float32Array.from(Buffer.concat(pixels)));
}

test('images to compare come from all classes', () => {
  const samples = Array.from({ length: 100 }, (_, label) => ({ file: `${label}`, label }));
  assert.deepEqual(
    spread(samples, 4).map(({ label }) => label),
    [0, 25, 50, 75],
  );
  assert.equal(spread(samples.slice(0, 3), 4).length, 3);
});
