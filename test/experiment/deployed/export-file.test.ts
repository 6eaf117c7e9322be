/** The file of a stitch of random weights, and what is written down beside it. Trained ones: the recipe test. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { openDeployed } from '../../../src/experiment/deployed/deployed-network.js';
import { type ExportOptions, exportFile } from '../../../src/experiment/deployed/export-file.js';
import { silentProgress } from '../../../src/shared/progress.js';
import { temporaryFolder } from '../../models/pretrained/fixtures.js';
import { writtenAnchors, writtenRun } from '../written-run.js';

test('a file is compared on test images, of fewer bits also tested; without images on random pixels', async (t) => {
  const folder = temporaryFolder(t);
  const root = path.join(folder, 'images');
  for (const split of ['train', 'test']) {
    for (const [index, name] of ['dark', 'light'].entries()) {
      await mkdir(path.join(root, split, name), { recursive: true });
      const background = { r: 200 * index, g: 50, b: 100 };
      const image = sharp({ create: { width: 64, height: 64, channels: 3, background } });
      await image.png().toFile(path.join(root, split, name, '0.png'));
    }
  }
  const document = {
    name: 'written',
    anchors: await writtenAnchors(folder),
    data: { kind: 'image-folder', name: 'mine', root },
    adaptation: { ranks: [2, 2] },
    preprocessing: { resize: 64, crop: 64 },
  };
  const runFolder = path.join(folder, 'run');
  const { run } = await writtenRun(runFolder, document, { classes: ['dark', 'light'] });
  const network = await openDeployed(runFolder, { stitch: 2 });
  const lines: string[] = [];
  const progress = { ...silentProgress, line: (text: string) => void lines.push(text) };
  const exported = (name: string, options: Partial<ExportOptions> = {}) =>
    exportFile(network, path.join(folder, 'out', name), { progress, ...options });
  const whole = await exported('whole.onnx');
  const { comparison, licence, bytes, ...facts } = whole;
  assert.deepEqual(facts, {
    ...{ file: path.join(folder, 'out', 'whole.onnx'), description: path.join(folder, 'out', 'whole.json') },
    input: { images: ['batch', 64, 64, 3], type: 'float32', values: 'RGB, 0 to 255' },
    output: { logits: ['batch', 2] },
    ...{ operators: 'onnxruntime', precision: 'float32', classes: ['dark', 'light'] },
    ...{ preprocessing: network.preprocessing, trial: run.name, stitch: run.result.stitches[2] },
  });
  assert.match(licence, /Ti\.safetensors, .*S\.safetensors$/);
  assert.equal(bytes, (await readFile(facts.file)).length);
  assert.deepEqual(JSON.parse(await readFile(facts.description, 'utf8')), JSON.parse(JSON.stringify(whole)));
  assert.deepEqual([comparison.images, comparison.of, comparison.sameClass], [2, 'test images', 2]);
  assert.ok(comparison.largestDifference < 1e-4 * comparison.largestLogit);
  assert.deepEqual(lines, []);

  const small = await exported('small.onnx', { batch: 2, precision: 'float16', operators: 'standard' });
  assert.deepEqual(
    [small.input.images, small.output.logits],
    [
      [2, 64, 64, 3],
      [2, 2],
    ],
  );
  assert.deepEqual([small.precision, small.operators], ['float16', 'standard']);
  assert.ok(small.bytes < bytes && [0, 50, 100].includes(small.accuracy!), `${small.accuracy}`);
  assert.deepEqual((await readdir(path.join(folder, 'out'))).sort(), [
    ...['small.json', 'small.onnx', 'whole.json', 'whole.onnx'],
  ]);

  const gone = { ...network, classes: ['other', 'names'] };
  const elsewhere = await exportFile(gone, path.join(folder, 'gone.onnx'), { progress, precision: 'float16' });
  assert.deepEqual([elsewhere.comparison.of, elsewhere.comparison.images], ['random pixels', 4]);
  assert.ok(!('accuracy' in elsewhere));
  assert.deepEqual(lines, ['The file is compared on random pixels: the data set mine has other classes by now.']);
});
