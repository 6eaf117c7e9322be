import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { esta } from '../command-line.js';
import { drawImage } from '../evaluation/predict-fixture.js';
import { miniature } from '../experiment/miniature.js';

test('a finished run is exported, and its classes are named by predict --run', async (t) => {
  const mini = await miniature(t);
  const [result] = await mini.run(mini.experiment({ training: { epochs: 1 } }), 'run');
  const [run, file] = [path.join(mini.folder, 'run'), path.join(mini.folder, 'cheap.onnx')];
  const cheapest = result!.stitches.reduce((one, other) => (other.flops < one.flops ? other : one));
  const budget = String(cheapest.flops / 1e9);

  const exported = await esta(['export', run, '--budget', budget, '--out', file, '--batch', '2', '--json']);
  assert.deepEqual([exported.status, exported.stderr], [0, '']);
  const document = JSON.parse(exported.stdout);
  assert.deepEqual(document.stitch, cheapest);
  assert.deepEqual(document.input.images, [2, 64, 64, 3]);
  assert.deepEqual(JSON.parse(await readFile(path.join(mini.folder, 'cheap.json'), 'utf8')), document);
  assert.equal(document.bytes, (await stat(file)).size);

  const adapters = await esta(['export', run, '--format', 'peft', '--out', path.join(mini.folder, 'adapters')]);
  assert.equal(adapters.status, 2);
  assert.match(adapters.stderr, /networks that read images: adapters are written of language models/);

  const image = await drawImage(mini.folder);
  const choice = ['--run', run, '--budget', budget, '--engine', 'onnxruntime'];
  const { status, stdout } = await esta(['predict', image, ...choice]);
  assert.equal(status, 0);
  assert.ok(stdout.startsWith(`stitch ${cheapest.id}, `), stdout);
  assert.match(
    stdout,
    / % on the test images, of species-esta-seed0\n.*drawn\.png\n( +\d+\.\d % {2}\S.* \(logit -?\d+\.\d{3}\)\n){2}$/,
  );
});

test('trained numbers that are not finite are refused: no answer and no file', async (t) => {
  const mini = await miniature(t);
  await mini.run(mini.experiment({ training: { epochs: 1 } }), 'run');
  const [run, out] = [path.join(mini.folder, 'run'), path.join(mini.folder, 'broken.onnx')];
  const file = path.join(run, 'trials/species-esta-seed0/trained.safetensors');
  const bytes = await readFile(file);
  bytes.writeFloatLE(Number.NaN, bytes.length - 4);
  await writeFile(file, bytes);
  const image = await drawImage(mini.folder);
  for (const command of [
    ['export', run, '--out', out],
    ['predict', image, '--run', run, '--engine', 'onnxruntime'],
  ]) {
    const { status, stdout, stderr } = await esta(command);
    assert.deepEqual([status, stdout], [2, '']);
    assert.match(stderr, /trained\.safetensors: \S+ holds numbers that are not finite/);
  }
  await assert.rejects(stat(out));
});

test('a wrong request is named: exit status 2', async (t) => {
  const { folder } = await miniature(t);
  const cases: [string[], RegExp][] = [
    [['export', folder, '--out', 'a.onnx'], /no run folder/],
    [['export', folder, '--out', 'a.onnx', '--budget', 'cheap'], /--budget: expected a number above 0 with a unit/],
    [['export', folder, '--out', 'a.onnx', '--budget=100000000'], /Did you mean 100MFLOPs/],
    [['export', folder, '--out', 'a.onnx', '--budget', '5ms', '--stitch', '3'], /--budget=5ms /],
    [['export', folder], /out/],
    [['predict', 'a.jpg'], /--checkpoint, --run/],
    [['predict', 'a.jpg', '--run', folder, '--checkpoint', 'embedded', '--architecture', 'vit_mini_tiny'], /run/],
  ];
  for (const [args, expected] of cases) {
    const { status, stderr } = await esta(args);
    assert.match(stderr, expected);
    assert.equal(status, 2, args.join(' '));
  }
});
