/** What a trial was trained on is compared with what lies on disk: changed data, weights and devices are refused in words. */
import assert from 'node:assert/strict';
import { copyFile, cp, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { Interrupted, RequestError } from '../../src/shared/errors.js';
import { silentProgress } from '../../src/shared/progress.js';
import { miniature, watchedProgress } from './miniature.js';

const trial = 'mine-esta-seed0';

async function drawFolder(root: string): Promise<void> {
  for (const [split, count] of Object.entries({ train: 4, val: 1, test: 2 })) {
    for (const [label, name] of ['dark', 'light', 'medium'].entries()) {
      await mkdir(path.join(root, split, name), { recursive: true });
      for (let index = 0; index < count; index++) {
        const background = { r: 100 * label, g: 20 * index, b: 100 };
        const image = sharp({ create: { width: 64, height: 64, channels: 3, background } });
        await image.png().toFile(path.join(root, split, name, `${index}.png`));
      }
    }
  }
}

function refused(pattern: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof RequestError, String(error));
    assert.match(error.message, pattern);
    return true;
  };
}

test('changed images, weights and devices are refused; what decides no number is not', async (t) => {
  const mini = await miniature(t);
  const root = path.join(mini.folder, 'images');
  await drawFolder(root);
  const experiment = (changes: Record<string, unknown> = {}, folder = root) =>
    mini.experiment({
      data: { kind: 'image-folder', name: 'mine', root: folder },
      training: { epochs: 1 },
      ...changes,
    });
  const lines: string[] = [];
  const progress = { ...silentProgress, line: (text: string) => void lines.push(text) };
  const run = (what = experiment(), options: object = {}) => mini.run(what, 'run', { progress, ...options });

  // Stopped after a step: the images must stay as they were.
  const controller = new AbortController();
  const stopping = watchedProgress((label, done) => label.includes('stitched at') && done === 1 && controller.abort());
  await assert.rejects(run(experiment(), { progress: stopping, signal: controller.signal }), Interrupted);
  const renamed = path.join(mini.folder, 'renamed');
  await cp(root, renamed, { recursive: true });
  for (const split of ['train', 'val', 'test']) {
    await rename(path.join(renamed, split, 'dark'), path.join(renamed, split, 'gloomy'));
  }
  await assert.rejects(
    run(experiment({}, renamed)),
    refused(/mine-esta-seed0 was trained in another way:\n {2}images\.classes: no longer dark, new gloomy/),
  );
  await rm(path.join(renamed, 'train/gloomy/0.png'));
  await assert.rejects(run(experiment({}, renamed)), refused(/images\.images\.train: there 12, now 11/));

  // Moved, and with another claim and other times of checkpoints, it goes on.
  const moved = path.join(mini.folder, 'moved');
  await cp(root, moved, { recursive: true });
  const free = { claim: 'it works', training: { epochs: 1, checkpoint_minutes: 7 } };
  const [result] = await run(experiment(free, moved));
  assert.equal(result!.status, 'finished');
  const written = path.join(mini.folder, 'run', 'environment.json');
  const before = await stat(written);

  // Once finished, it is still compared.
  await assert.rejects(run(experiment({}, renamed)), refused(/images\.classes: no longer dark, new gloomy/));
  const gpu = { ...mini.engine, device: 'webgpu' };
  await assert.rejects(run(experiment(), { engine: gpu }), refused(/device: there "cpu", now "webgpu"/));
  const anchor = path.join(mini.folder, 'Ti.safetensors');
  await copyFile(anchor, `${anchor}.kept`);
  const bytes = await readFile(anchor);
  await writeFile(anchor, bytes.with(bytes.length - 1, bytes.at(-1)! ^ 1));
  await assert.rejects(run(), refused(/\n {2}weights\.Ti: there "[0-9a-f]{16}", now "[0-9a-f]{16}"$/));
  await rename(`${anchor}.kept`, anchor);
  assert.deepEqual(await run(), [result]);
  assert.equal(lines.at(-1), `${trial}: finished before`);

  // Inputs that are gone are only needed by what is not finished.
  await rm(moved, { recursive: true });
  await rm(anchor);
  assert.deepEqual(await run(experiment({}, moved)), [result]);
  assert.match(
    lines.at(-1)!,
    /^mine-esta-seed0: finished before; what it was trained on could not be compared again: /,
  );
  await assert.rejects(run(experiment({ seeds: [0, 1] }, moved)), refused(/Ti\.safetensors/));
  assert.equal((await stat(written)).mtimeMs, before.mtimeMs, 'nothing was computed since');
});

test('a folder takes more seeds and data sets; trials of another device are not reused; old results stay', async (t) => {
  const mini = await miniature(t);
  const species = { kind: 'species', classes: 2, train_images: 4, validation_images: 1, test_images: 2 };
  const training = { epochs: 1 };
  const [first] = await mini.run(mini.experiment({ data: species, training }), 'run');
  const more = mini.experiment({ data: [species, { ...species, name: 'others', seed: 5 }], training, seeds: [0, 1] });
  const results = await mini.run(more, 'run');
  assert.deepEqual(results[0], first);
  assert.deepEqual(
    results.map(({ dataset, seed, status }) => [dataset, seed, status].join()),
    ['species,0,finished', 'species,1,finished', 'others,0,finished', 'others,1,finished'],
  );
  const reuse = [path.join(mini.folder, 'run')];
  const aborted = AbortSignal.abort();
  const engine = { ...mini.engine, device: 'webgpu' };
  const one = mini.experiment({ data: species, training });
  await assert.rejects(mini.run(one, 'gpu', { engine, reuse, signal: aborted }), Interrupted, 'it is to be trained');
  assert.equal((await mini.run(one, 'cpu', { reuse, signal: aborted }))[0]!.status, 'finished');

  // Results of versions that did not record with what they were trained.
  await rm(path.join(mini.folder, 'run', 'trials', 'species-esta-seed0', 'identity.json'));
  const lines: string[] = [];
  await mini.run(more, 'run', { progress: { ...silentProgress, line: (text) => void lines.push(text) } });
  assert.match(lines[0]!, /^species-esta-seed0: finished before, by a version of esta that did not record/);
});
