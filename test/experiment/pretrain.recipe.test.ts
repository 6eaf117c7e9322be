/** A whole pretraining at the smallest size: interrupted or not the same numbers, and nothing is trained twice. */
import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import sharp from 'sharp';
import { type ImagePretraining, pretrainingSchema } from '../../src/config/schema/pretraining.js';
import { createOnnxEngine } from '../../src/engine/onnx/engine.js';
import { pretrain } from '../../src/experiment/pretrain/pretrain.js';
import { architectureNamed } from '../../src/models/architectures.js';
import { readSafetensors, writeSafetensors } from '../../src/models/pretrained/formats/safetensors.js';
import { loadNetwork } from '../../src/models/pretrained/load-network.js';
import { Interrupted, RequestError } from '../../src/shared/errors.js';
import { silentProgress } from '../../src/shared/progress.js';
import { temporaryFolder } from '../models/pretrained/fixtures.js';
import { type Call, watchedEngine } from './watched-engine.js';

async function drawFolder(root: string): Promise<void> {
  for (const split of ['train', 'val']) {
    for (const [label, name] of ['dark', 'light'].entries()) {
      const folder = path.join(root, split, name);
      await mkdir(folder, { recursive: true });
      for (let index = 0; index < 6; index++) {
        const background = { r: 200 * label, g: 20 * index, b: 100 };
        const image = sharp({ create: { width: 64, height: 64, channels: 3, background } });
        await image.png().toFile(path.join(folder, `${index}.png`));
      }
    }
  }
}

test('a pretraining interrupted at every step ends as an uninterrupted one, writes anchors that can be read, and does not repeat itself', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'esta-pretrain-'));
  await drawFolder(path.join(folder, 'images'));
  const run = async (output: string, signal = new AbortController().signal, ofAnchor = {}) => {
    const config = pretrainingSchema.parse({
      name: 'smallest',
      data: { kind: 'image-folder', root: path.join(folder, 'images') },
      anchors: [{ name: 'Ti', architecture: 'vit_mini_tiny', ...ofAnchor }],
      training: { epochs: 2, warmup_epochs: 1, batch_size: 4, patch_dropout: 0.5 },
      output: path.join(folder, output),
    });
    const engine = await createOnnxEngine({ threads: 1 });
    const results = await pretrain(config as ImagePretraining, { engine, progress: silentProgress, signal }).finally(
      () => engine.dispose(),
    );
    return results[0]!;
  };
  const first = await run('first');
  // The second is interrupted after every single step.
  for (let step = 0; step < 2 * 3 - 1; step++) await assert.rejects(run('second', AbortSignal.abort()), Interrupted);
  const second = await run('second');
  assert.deepEqual(await readFile(first.file), await readFile(second.file));
  assert.ok(first.accuracy >= 0 && first.accuracy <= 100);
  const { tensors, metadata } = await readSafetensors(first.file);
  assert.equal(Object.keys(tensors).length, 152);
  assert.equal(metadata['architecture'], 'vit_mini_tiny');
  assert.equal((await run('first')).accuracy, Number(first.accuracy.toFixed(2)));
  const [lines, others] = await Promise.all(
    ['first', 'second'].map((name) => readFile(path.join(folder, name, 'metrics.jsonl'), 'utf8')),
  );
  assert.equal(lines!.trim().split('\n').length, 2, 'two epochs, not four: the finished anchor was not trained again');
  assert.equal(others, lines);

  // What an anchor says itself goes before what the family says.
  const { signal } = new AbortController();
  const third = await run('third', signal, { epochs: 1, learning_rate: 1e-5 });
  assert.equal(third.epochs, 1);
  assert.notDeepEqual((await readSafetensors(third.file)).tensors['head.bias'], tensors['head.bias']);
  await rm(folder, { recursive: true });
});

test('an output is not taken for that of other settings or images; what differs is said', async (t) => {
  const folder = temporaryFolder(t);
  await drawFolder(path.join(folder, 'images'));
  const engine = await createOnnxEngine({ threads: 1 });
  t.after(() => engine.dispose());
  const run = (changes: object = {}, training: object = {}, root = 'images') => {
    const config = pretrainingSchema.parse({
      name: 'smallest',
      data: { kind: 'image-folder', root: path.join(folder, root) },
      anchors: [{ name: 'Ti', architecture: 'vit_mini_tiny' }],
      training: { epochs: 1, warmup_epochs: 0, batch_size: 4, ...training },
      output: path.join(folder, 'out'),
      ...changes,
    });
    return pretrain(config as ImagePretraining, {
      engine,
      progress: silentProgress,
      signal: new AbortController().signal,
    });
  };
  const [first] = await run();
  const record = path.join(folder, 'out', 'pretraining.json');
  const recorded = await readFile(record, 'utf8');
  const refuses = async (promise: Promise<unknown>, pattern: RegExp) => {
    await assert.rejects(promise, (error) => {
      assert.ok(error instanceof RequestError);
      assert.match(error.message, pattern);
      assert.match(error.hint!, /--set output=DIR/);
      return true;
    });
    assert.equal(await readFile(record, 'utf8'), recorded, 'the record stays true');
  };
  await refuses(
    run({ seed: 1 }),
    /vit_mini_tiny\.safetensors was pretrained in another way:\n {2}seed: there 0, now 1$/,
  );
  await refuses(run({}, { epochs: 2 }), /training\.epochs: there 1, now 2$/);
  await cp(path.join(folder, 'images'), path.join(folder, 'moved'), { recursive: true });
  assert.deepEqual(await run({}, {}, 'moved'), [{ ...first!, accuracy: Number(first!.accuracy.toFixed(2)) }]);
  await rename(path.join(folder, 'moved/train/dark'), path.join(folder, 'moved/train/gloomy'));
  await rename(path.join(folder, 'moved/val/dark'), path.join(folder, 'moved/val/gloomy'));
  await refuses(run({}, {}, 'moved'), /data\.classes: no longer dark, new gloomy\n.*data\.names_and_sizes: there/);

  // Files of earlier versions do not say how they were made; the record beside them does.
  const { tensors, metadata } = await readSafetensors(first!.file);
  const { identity: _, ...before } = metadata;
  await writeSafetensors(first!.file, tensors, { metadata: before, dtype: 'F16' });
  const [known] = await run();
  assert.equal(known!.epochs, 1);
  await refuses(run({ seed: 1 }), /seed: there 0, now 1$/);
});

test('a ConvNeXt is pretrained into weights that load; what cannot be pretrained is named', async (t) => {
  const folder = temporaryFolder(t);
  await drawFolder(path.join(folder, 'images'));
  const engine = await createOnnxEngine({ threads: 1 });
  t.after(() => engine.dispose());
  const run = (architectures: readonly string[], patchDropout = 0) => {
    const config = pretrainingSchema.parse({
      name: 'smallest',
      data: { kind: 'image-folder', root: path.join(folder, 'images') },
      anchors: architectures.map((architecture) => ({ name: architecture, architecture })),
      training: { epochs: 1, warmup_epochs: 0, batch_size: 4, patch_dropout: patchDropout },
      output: folder,
    });
    return pretrain(config as ImagePretraining, {
      engine,
      progress: silentProgress,
      signal: new AbortController().signal,
    });
  };
  const name = 'convnext_mini_tiny';
  const [anchor] = await run([name]);
  const { head, report } = await loadNetwork(anchor!.file, architectureNamed(name));
  assert.equal(report.flavour, 'timm');
  assert.deepEqual(head!.weight.shape, [128, 2]);

  const refused = (pattern: RegExp) => (error: unknown) => error instanceof RequestError && pattern.test(error.message);
  await assert.rejects(
    run([name], 0.5),
    refused(/training\.patch_dropout: expected 0 for convnext_mini_tiny, .* 0\.5/),
  );
  await assert.rejects(run(['vit_mini_tiny', name]), refused(/anchors: expected networks of one family/));
});

/** Runs the smallest pretraining of one anchor with the given settings, on twelve images in batches of `batch_size`. */
async function stepsWith(t: TestContext, training: object) {
  const folder = temporaryFolder(t);
  await drawFolder(path.join(folder, 'images'));
  const calls: Call[] = [];
  const engine = await watchedEngine((call) => {
    if (call.program.startsWith('pretrain')) calls.push(call);
    return undefined;
  });
  const config = pretrainingSchema.parse({
    name: 'smallest',
    data: { kind: 'image-folder', root: path.join(folder, 'images') },
    anchors: [{ name: 'Ti', architecture: 'vit_mini_tiny' }],
    training: { learning_rate: 1e-3, ...training },
    output: folder,
  });
  const runtime = { engine, progress: silentProgress, signal: new AbortController().signal };
  await pretrain(config as ImagePretraining, runtime).finally(() => engine.dispose());
  const input = (name: string) => calls.map(({ inputs }) => inputs[name]);
  const { tensors } = await readSafetensors(path.join(folder, 'vit_mini_tiny.safetensors'));
  const [line] = (await readFile(path.join(folder, 'metrics.jsonl'), 'utf8')).split('\n');
  return {
    rates: input('rate').map((rate) => rate!.data[0]!),
    lambdas: input('mixupLambda').map((lambda) => lambda!.data[0]!),
    labels: input('labels').map((labels) => [...labels!.data]),
    kept: input('kept').map((kept) => kept?.shape),
    weight: [...tensors['blocks.0.attn.qkv.weight']!.data],
    /** Of the first epoch. */
    loss: (JSON.parse(line!) as { loss: number }).loss,
  };
}

test('steps get the learning rate, the mixup and the patches that the file says', async (t) => {
  const mixed = await stepsWith(t, { epochs: 5, warmup_epochs: 1, batch_size: 4, mixup: 0.4, patch_dropout: 0.5 });
  // Five epochs of three steps: the first is warm-up, twelve follow half a cosine.
  const cosine = Array.from({ length: 12 }, (_, step) => (1 + Math.cos((Math.PI * step) / 12)) / 2);
  for (const [step, share] of [1 / 3, 2 / 3, 1, ...cosine].entries()) {
    assert.ok(Math.abs(mixed.rates[step]! - 1e-3 * share) < 1e-9, `step ${step}: ${mixed.rates[step]}`);
  }
  assert.equal(mixed.rates.length, 15);
  assert.ok(mixed.lambdas.every((lambda) => lambda >= 0.5 && lambda <= 1));
  assert.ok(new Set(mixed.lambdas).size > 12 && Math.min(...mixed.lambdas) < 0.9);
  // Half of 64 patches and the class token; the last fifth of the epochs sees all.
  assert.deepEqual(mixed.kept, [...new Array(12).fill([33]), undefined, undefined, undefined]);
  for (const epoch of [0, 1, 2, 3, 4]) {
    const labels = mixed.labels.slice(3 * epoch, 3 * epoch + 3).flat();
    assert.deepEqual(labels.toSorted(), [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1], 'every image once');
  }

  const plain = await stepsWith(t, { epochs: 1, warmup_epochs: 0, batch_size: 4, mixup: 0 });
  assert.deepEqual([plain.lambdas, plain.kept], [[1, 1, 1], new Array(3).fill(undefined)]);
});

test('label smoothing reaches the loss: of the first step it is linear in the share', async (t) => {
  const lossWith = async (label_smoothing: number) =>
    (await stepsWith(t, { epochs: 1, warmup_epochs: 0, batch_size: 12, mixup: 0, label_smoothing })).loss;
  const [none, some, much] = [await lossWith(0), await lossWith(0.4), await lossWith(0.8)];
  assert.ok(Math.abs(some - (none + much) / 2) < 1e-6, `${none}, ${some}, ${much}`);
  assert.ok(Math.abs(none - much) > 1e-4, `${none}, ${much}`);
});

test('weight decay reaches the weights: after the first step they are linear in it', async (t) => {
  const weightWith = async (weight_decay: number) =>
    (await stepsWith(t, { epochs: 1, warmup_epochs: 0, batch_size: 12, learning_rate: 0.1, weight_decay })).weight;
  const [none, some, much] = [await weightWith(0), await weightWith(0.4), await weightWith(0.8)];
  // In half precision, of numbers up to 0.2.
  for (const [index, value] of some.entries()) assert.ok(Math.abs(value - (none[index]! + much[index]!) / 2) < 3e-4);
  assert.ok(Math.max(...none.map((value, index) => Math.abs(value - much[index]!))) > 1e-3);
});
