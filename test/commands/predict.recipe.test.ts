import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { esta } from '../command-line.js';
import { drawImage, writeCheckpoint } from '../evaluation/predict-fixture.js';
import { temporaryFolder } from '../models/pretrained/fixtures.js';

const architecture = 'convnext_mini_tiny';
// auto would first probe for TensorFlow, which may write to stderr.
const engine = ['--engine', 'onnxruntime'];

test('--json prints the raw logits of every image, people read the top classes', async (t) => {
  const folder = temporaryFolder(t);
  const image = await drawImage(folder);
  const flags = [
    '--checkpoint',
    await writeCheckpoint(folder, architecture),
    '--architecture',
    architecture,
    ...engine,
  ];
  const { status, stdout, stderr } = await esta(['predict', ...flags, image, image, '--json']);
  assert.deepEqual([status, stderr], [0, '']);
  const predictions = JSON.parse(stdout);
  assert.equal(predictions.length, 2);
  assert.equal(predictions[0].image, image);
  assert.equal(predictions[0].logits.length, 5);
  assert.equal(predictions[0].top.length, 5);

  const shown = await esta(['predict', ...flags, image, '--top', '2']);
  assert.equal(shown.status, 0);
  assert.match(shown.stdout, /drawn\.png\n( +\d+\.\d % {2}class \d {2}\(logit -?\d+\.\d{3}\)\n){2}$/);
});

test('mean and std are those beside the weights, of the flags, or said to be assumed', async (t) => {
  const folder = temporaryFolder(t);
  const image = await drawImage(folder);
  const name = 'vit_tiny_patch16_224';
  const checkpoint = ['--checkpoint', await writeCheckpoint(folder, name), '--architecture', name];
  const logits = async (...flags: string[]) => {
    const { stdout, stderr } = await esta(['predict', ...checkpoint, ...engine, ...flags, image, '--json']);
    return { logits: JSON.parse(stdout)[0].logits as number[], stderr };
  };
  const assumed = await logits();
  assert.match(assumed.stderr, /nothing tells how its images were normalised; assumed: mean 0\.5, 0\.5, 0\.5/);
  const flags = ['--mean', '0.485,0.456,0.406', '--std', '0.229,0.224,0.225', '--interpolation', 'bilinear'];
  const stated = await logits(...flags, '--crop-share', '1');
  assert.equal(stated.stderr, '');
  assert.notDeepEqual(stated.logits, assumed.logits);
  const config = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], crop_pct: 1, interpolation: 'bilinear' };
  writeFileSync(path.join(folder, 'config.json'), JSON.stringify({ pretrained_cfg: config }));
  assert.deepEqual(await logits(), stated);
  for (const [flag, value] of [
    ['--mean', '0.5,0.5'],
    ['--mean', '123.7,116.3,103.5'],
    ['--std', '0.2,0,0.2'],
    ['--crop-share', '1.5'],
  ] as const) {
    const { status, stderr } = await esta(['predict', ...checkpoint, ...engine, flag, value, image]);
    assert.equal(status, 2);
    assert.match(stderr, new RegExp(`${flag}: expected .* received "${value}"`));
  }
});

test('a bad image is named and the others are classified: exit status 1', async (t) => {
  const folder = temporaryFolder(t);
  const [image, bad] = [await drawImage(folder), `${folder}/bad.jpg`];
  await writeFile(bad, 'no image');
  const flags = [
    '--checkpoint',
    await writeCheckpoint(folder, architecture),
    '--architecture',
    architecture,
    ...engine,
  ];
  const shown = await esta(['predict', ...flags, bad, image]);
  assert.equal(shown.status, 1);
  assert.match(shown.stderr, /^Error: .*bad\.jpg/m);
  assert.match(shown.stdout, /drawn\.png\n/);
  const { status, stdout } = await esta(['predict', ...flags, bad, image, '--json']);
  assert.equal(status, 1);
  const answers = JSON.parse(stdout);
  assert.deepEqual(
    answers.map((answer: { image: string; error?: string }) => [answer.image, answer.error !== undefined]),
    [
      [bad, true],
      [image, false],
    ],
  );
  assert.equal(answers[1].logits.length, 5);
});

test('one image that cannot be read is answered as several are: exit status 1, an entry each', async (t) => {
  const folder = temporaryFolder(t);
  const checkpoint = await writeCheckpoint(folder, architecture);
  const [bad, none] = [`${folder}/bad.jpg`, `${folder}/none.jpg`];
  await writeFile(bad, 'no image');
  const args = ['predict', '--checkpoint', checkpoint, '--architecture', architecture, ...engine];
  const shown = await esta([...args, bad, none]);
  assert.equal(shown.status, 1);
  for (const image of [bad, none]) assert.match(shown.stderr, new RegExp(`^Error: image ${image} cannot be`, 'm'));
  assert.match(shown.stderr, /\nRestore the file/);
  assert.match(shown.stderr, /\nCheck the path and its permissions\.\n/);
  assert.doesNotMatch(shown.stderr, /data set/);
  const { status, stdout } = await esta([...args, none, '--json']);
  const answers = JSON.parse(stdout) as { image: string; error: string; hint: string }[];
  assert.deepEqual(
    [status, ...answers.map(({ image, error, hint }) => [image, typeof error, typeof hint])],
    [1, [none, 'string', 'string']],
  );
});

test('a network that cannot be read is named: exit status 2', async (t) => {
  const folder = temporaryFolder(t);
  const checkpoint = await writeCheckpoint(folder, architecture);
  const cases: [string[], RegExp][] = [
    [
      ['--checkpoint', checkpoint, '--architecture', 'convnext_mini_tinny', 'a.jpg'],
      /did you mean convnext_mini_tiny\?/,
    ],
    [['--checkpoint', `${folder}/none.safetensors`, '--architecture', architecture, 'a.jpg'], /none\.safetensors/],
    [['--checkpoint', checkpoint, '--architecture', architecture], /images/],
  ];
  for (const [args, expected] of cases) {
    const { status, stderr } = await esta(['predict', ...engine, ...args]);
    assert.match(stderr, expected);
    assert.equal(status, 2);
  }
});
