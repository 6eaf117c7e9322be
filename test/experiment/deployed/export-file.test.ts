/** The file of a stitch of random weights, and what is written down beside it. Trained ones: the recipe test. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { type DeployedNetwork, openDeployed } from '../../../src/experiment/deployed/deployed-network.js';
import { type ExportOptions, exportFile } from '../../../src/experiment/deployed/export-file.js';
import { exportStateDict } from '../../../src/experiment/deployed/state-dict.js';
import { silentProgress } from '../../../src/shared/progress.js';
import { temporaryFolder } from '../../models/pretrained/fixtures.js';
import { writtenAnchors, writtenRun } from '../written-run.js';

/** The smallest anchor, for drawn species. */
async function smallNetwork(folder: string): Promise<DeployedNetwork> {
  const document = {
    ...{ name: 'written', anchors: await writtenAnchors(folder), data: { kind: 'species', classes: 2 } },
    adaptation: { ranks: [2, 2] },
  };
  await writtenRun(path.join(folder, 'run'), document);
  return openDeployed(path.join(folder, 'run'), { stitch: 0 });
}

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

  const images = { classes: network.classes, images: { train: 2, validation: 0, test: 3 }, names_and_sizes: 'other' };
  const later = { ...network, images };
  await exportFile(later, path.join(folder, 'later.onnx'), { progress });
  assert.deepEqual(lines, [], 'its logits are compared, whatever the images are');
  await exportFile(later, path.join(folder, 'later.onnx'), { progress, precision: 'int8' });
  assert.deepEqual(lines.splice(0), [
    'Accuracy of the file and of the run are of other images: images of mine were added, removed or changed since (3 test images then, 2 now).',
  ]);

  const gone = { ...network, classes: ['other', 'names'] };
  const elsewhere = await exportFile(gone, path.join(folder, 'gone.onnx'), { progress, precision: 'float16' });
  assert.deepEqual([elsewhere.comparison.of, elsewhere.comparison.images], ['random pixels', 4]);
  assert.ok(!('accuracy' in elsewhere));
  assert.deepEqual(lines, ['The file is compared on random pixels: the data set mine has other classes by now.']);
});

test('a JSON file that is no description is not replaced by one', async (t) => {
  const folder = temporaryFolder(t);
  const network = await smallNetwork(folder);
  const [file, description] = [path.join(folder, 'small.onnx'), path.join(folder, 'small.json')];
  const options = { progress: silentProgress, cacheFolder: path.join(folder, 'cache') };
  for (const answers of ['[{"image": "rose.jpg"}]', 'labels:']) {
    await writeFile(description, answers);
    await assert.rejects(exportFile(network, file, options), {
      message: `${description} is there, and describes no exported file: the description of ${file} would replace it`,
      hint: 'Give --out another name, or move that file away.',
    });
    assert.equal(await readFile(description, 'utf8'), answers);
  }
  await rm(description);
  await exportFile(network, file, options);
  await exportFile(network, file, options); // its own is replaced
  assert.equal(JSON.parse(await readFile(description, 'utf8')).file, file);
});

test('a name of another kind of file is refused before anything is written', async (t) => {
  const folder = temporaryFolder(t);
  const network = await smallNetwork(folder);
  const out = path.join(folder, 'out');
  // The description of flowers.json would be flowers.json, and the network lost.
  for (const name of ['flowers.json', 'flowers.pt', 'flowers.SafeTensors']) {
    await assert.rejects(exportFile(network, path.join(out, name), { progress: silentProgress }), {
      message: new RegExp(`${name} would be an ONNX file, and its name says \\.`),
      hint: new RegExp(`--out ${out}/flowers\\.onnx .*--out ${out}/flowers\\.safetensors for PyTorch`),
    });
  }
  await assert.rejects(
    exportStateDict(network, path.join(out, 'flowers.pth'), 'float32'),
    /a state dict .* says \.pth/,
  );
  await assert.rejects(
    exportStateDict(network, path.join(out, 'flowers.onnx'), 'float32'),
    /a state dict .* says \.onnx/,
  );
  await assert.rejects(readdir(out), { code: 'ENOENT' });
  await exportStateDict(network, path.join(out, 'flowers.v1'), 'float32');
  assert.deepEqual(await readdir(out), ['flowers.v1']);
});
