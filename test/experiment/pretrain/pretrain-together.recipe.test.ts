/** A family pretrained in the same steps, at the smallest size: interrupted or not the same numbers. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import sharp from 'sharp';
import { type ImagePretraining, pretrainingSchema } from '../../../src/config/schema/pretraining.js';
import { pretrain } from '../../../src/experiment/pretrain/pretrain.js';
import { architectureNamed } from '../../../src/models/architectures.js';
import { readSafetensors } from '../../../src/models/pretrained/formats/safetensors.js';
import { loadNetwork } from '../../../src/models/pretrained/load-network.js';
import { claimFolder } from '../../../src/run-folder/lock.js';
import { Interrupted, RequestError } from '../../../src/shared/errors.js';
import { silentProgress } from '../../../src/shared/progress.js';
import { temporaryFolder } from '../../models/pretrained/fixtures.js';
import { type Call, watchedEngine } from '../watched-engine.js';

const architectures = ['vit_mini_small_depth4', 'vit_mini_tiny_depth4'];

/** Runs the smallest family: two anchors on eight images in twelve programs of two steps. */
async function smallestFamily(t: TestContext) {
  const folder = temporaryFolder(t);
  for (const split of ['train', 'val']) {
    for (const [label, name] of ['dark', 'light'].entries()) {
      await mkdir(path.join(folder, 'images', split, name), { recursive: true });
      for (let index = 0; index < 4; index++) {
        const background = { r: 200 * label, g: 20 * index, b: 100 };
        const image = sharp({ create: { width: 64, height: 64, channels: 3, background } });
        await image.png().toFile(path.join(folder, 'images', split, name, `${index}.png`));
      }
    }
  }
  const calls: Call[] = [];
  let onCall = () => {};
  const engine = await watchedEngine((call) => {
    if (call.program.startsWith('pretrain')) {
      calls.push(call);
      onCall();
    }
    return undefined;
  });
  t.after(() => engine.dispose());
  /** @param programs after which the user asks to stop; left out: never */
  const run = (output: string, programs?: number, together: object = {}, training: object = {}) => {
    const config = pretrainingSchema.parse({
      name: 'smallest',
      data: { kind: 'image-folder', root: path.join(folder, 'images') },
      anchors: [
        { name: 'loss', architecture: architectures[0] },
        { name: 'Ti', architecture: architectures[1], learning_rate: 4e-3 },
      ],
      training: {
        ...{ epochs: 6, warmup_epochs: 1, batch_size: 2, learning_rate: 1e-3, patch_dropout: 0.5, mixup: 0.4 },
        together: { steps: 2, distillation: 0.5, ...together },
        ...training,
      },
      output: path.join(folder, output),
    });
    const stop = new AbortController();
    const end = calls.length + (programs ?? Number.POSITIVE_INFINITY);
    onCall = () => calls.length >= end && stop.abort();
    return pretrain(config as ImagePretraining, { engine, progress: silentProgress, signal: stop.signal });
  };
  return { run, calls, at: (...names: string[]) => path.join(folder, ...names) };
}

test('a family that learns together is resumed, looked into while it learns, and not trained twice', async (t) => {
  const { run, calls, at } = await smallestFamily(t);
  const first = await run('first');
  const programs = calls.splice(0);
  assertSteps(programs);
  assert.deepEqual((await readdir(at('first'))).sort(), [
    'metrics.jsonl',
    'pretraining.json',
    ...architectures.map((name) => `${name}.safetensors`),
  ]);

  await assert.rejects(run('second', 3), Interrupted);
  await assert.rejects(run('second', 8), Interrupted);
  const names = await readdir(at('second'));
  assert.ok(names.includes('together.partial') && !names.includes('pretraining.json'));
  const { metadata } = await readSafetensors(at('second', `${architectures[1]}.latest.safetensors`));
  assert.equal(metadata['epochs'], '5', 'as it was after the fifth epoch');
  const second = await run('second');
  assert.equal(calls.length, 12);
  for (const [index, anchor] of first.entries()) {
    assert.deepEqual(await readFile(anchor.file), await readFile(second[index]!.file));
    assert.equal(anchor.epochs, 6);
  }
  const lines = await readFile(at('first', 'metrics.jsonl'), 'utf8');
  assert.equal(await readFile(at('second', 'metrics.jsonl'), 'utf8'), lines);
  const measured = lines
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    measured.map(({ anchor, epoch, accuracy }) => [anchor, epoch, accuracy === undefined]),
    [1, 2, 3, 4, 5, 6].flatMap((epoch) => ['loss', 'Ti'].map((anchor) => [anchor, epoch, epoch < 5])),
  );
  assert.ok(measured.every(({ loss }) => loss > 0.1 && loss < 1.5));
  // An epoch has two programs of two steps; each has the losses of both anchors.
  const losses = programs.flatMap(({ outputs }) => [...outputs['losses']!.data]);
  for (const [line, { loss }] of measured.entries()) {
    const [epoch, anchor] = [Math.floor(line / 2), line % 2];
    const ofEpoch = losses.slice(8 * epoch, 8 * epoch + 8).filter((_, index) => index % 2 === anchor);
    assert.ok(
      Math.abs(loss - ofEpoch.reduce((sum, each) => sum + each, 0) / 4) < 1e-9,
      'the mean of the anchor itself',
    );
  }
  const { head } = await loadNetwork(second[1]!.file, architectureNamed(architectures[1]!));
  assert.deepEqual(head!.weight.shape, [32, 2]);

  await assert.rejects(run('third', undefined, { steps: 5 }), /^RequestError: 8 training images .* = 10$/);

  const lock = await claimFolder(at('fourth'), { heartbeatSeconds: 0 });
  await assert.rejects(run('fourth'), /fourth is being written by another pretraining, process \d+/);
  assert.ok('release' in lock);
  await lock.release(true);
  assert.deepEqual([await readdir(at('fourth')), calls.length], [[], 12]);

  const again = await run('first');
  assert.deepEqual(
    again.map(({ file }) => file),
    first.map(({ file }) => file),
  );
  assert.equal(calls.length, 12);
  // A kill after the last anchor was written, and before the rest.
  await rm(at('first', 'pretraining.json'));
  await writeFile(at('first', 'together.partial'), '');
  assert.deepEqual(
    (await run('first')).map(({ epochs }) => epochs),
    [6, 6],
  );
  assert.equal(calls.length, 12, 'nothing is trained again');
  assert.deepEqual((await readdir(at('first'))).length, 4);
  await assert.rejects(
    run('first', undefined, { distillation: 0 }),
    (error) =>
      error instanceof RequestError && /training\.together\.distillation: there 0\.5, now 0$/.test(error.message),
  );
});

function assertSteps(programs: readonly Call[]): void {
  // Four steps of warm-up, twenty of half a cosine, each anchor with its own peak.
  assert.equal(programs.length, 12);
  const rates = programs.flatMap(({ inputs }) => [...inputs['rates']!.data]);
  for (let step = 0; step < 24; step++) {
    const share = step < 4 ? (step + 1) / 4 : (1 + Math.cos((Math.PI * (step - 4)) / 20)) / 2;
    assert.ok(Math.abs(rates[2 * step]! - 1e-3 * share) < 1e-9);
    assert.ok(Math.abs(rates[2 * step + 1]! - 4e-3 * share) < 1e-9);
  }
  const lambdas = programs.flatMap(({ inputs }) => [...inputs['mixupLambdas']!.data]);
  assert.ok(new Set(lambdas).size > 20 && lambdas.every((lambda) => lambda >= 0.5 && lambda <= 1));
  // The last fifth of the epochs sees all patches; the patches of the two steps of a program differ.
  assert.deepEqual(
    programs.map(({ inputs }) => inputs['kept']?.shape),
    [...new Array(8).fill([2, 33]), ...new Array(4).fill(undefined)],
  );
  const kept = [...programs[0]!.inputs['kept']!.data];
  assert.notDeepEqual(kept.slice(0, 33), kept.slice(33));
}

test('smoothing, distillation, decay and clipping reach the steps of a family', async (t) => {
  const { run, calls } = await smallestFamily(t);
  let runs = 0;
  /** The losses of both anchors in the last step, and a matrix of the smaller after it. */
  const trainedWith = async (together: object, training: object) => {
    const short = { epochs: 1, warmup_epochs: 0, mixup: 0, patch_dropout: 0, label_smoothing: 0 };
    const [, smaller] = await run(`${runs++}`, undefined, together, { ...short, ...training });
    const { tensors } = await readSafetensors(smaller!.file);
    const losses = calls.splice(0).flatMap(({ outputs }) => [...outputs['losses']!.data]);
    return {
      last: losses.slice(-2),
      weight: [...tensors['blocks.0.attn.qkv.weight']!.data],
    };
  };
  const plain = await trainedWith({ distillation: 0 }, {});
  const smoothed = await trainedWith({ distillation: 0 }, { label_smoothing: 0.8 });
  const taught = await trainedWith({ distillation: 0.8 }, {});
  const differ = (one: number, other: number) => assert.ok(Math.abs(one - other) > 1e-4, `${one}, ${other}`);
  for (const anchor of [0, 1]) differ(plain.last[anchor]!, smoothed.last[anchor]!);
  differ(plain.last[1]!, taught.last[1]!);
  assert.equal(plain.last[0], taught.last[0], 'the teacher');

  const apart = (one: readonly number[], other: readonly number[]) =>
    Math.max(...one.map((value, index) => Math.abs(value - other[index]!)));
  const decayed = await trainedWith({ distillation: 0 }, { weight_decay: 20 });
  const clipped = await trainedWith({ distillation: 0, clip_norm: 1e-9 }, {});
  for (const { weight } of [decayed, clipped]) assert.ok(apart(weight, plain.weight) > 1e-3);
});
