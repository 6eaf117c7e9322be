/** A stitch that is trained further alone starts where shared training ended, and leaves the run as it was. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import type { ImageDatasetConfig } from '../../../src/config/schema/dataset.js';
import { trialsOf } from '../../../src/config/trials.js';
import { loadDataset } from '../../../src/data/load.js';
import { predict } from '../../../src/evaluation/predict.js';
import { openDeployed } from '../../../src/experiment/deployed/deployed-network.js';
import { findTrial } from '../../../src/experiment/deployed/found-trial.js';
import { openTrial } from '../../../src/experiment/deployed/trained-trial.js';
import { derivedFolder } from '../../../src/experiment/derived/derived-trial.js';
import { type FinetuneRequest, finetune } from '../../../src/experiment/derived/finetune.js';
import { gainLines } from '../../../src/report/views/gain-view.js';
import { Interrupted } from '../../../src/shared/errors.js';
import { esta } from '../../command-line.js';
import { type Miniature, miniature, outcomeOf, readLines, watchedProgress } from '../miniature.js';

// Images that need no resizing, so that single images are prepared exactly as batches are.
const preprocessing = { resize: 64, crop: 64 };

test('a stitch of the run is trained alone in a folder of its own', async (t) => {
  const mini = await miniature(t);
  const experiment = mini.experiment({
    preprocessing,
    training: { epochs: 1, batch_size: 4, base_learning_rates: [0.1] },
  });
  const [shared] = await mini.run(experiment, 'run');
  const runFolder = path.join(mini.folder, 'run');
  const before = await contentsOf(runFolder);
  const stitched = shared!.stitches.find(({ path }) => path.length === 2)!;
  const name = `species-esta-stitch-${stitched.id}-alone-seed0`;
  const alone = aloneOf(mini, stitched.id);
  const { result, trial } = await alone('alone');
  const folder = path.join(mini.folder, 'alone');

  await t.test('from where shared training has ended', () => {
    assert.equal(trial, name);
    assert.equal(result.finetuned!.shared.test, stitched.accuracy);
    assert.equal(result.finetuned!.alone.test, result.stitches[0]!.accuracy);
    assert.deepEqual(
      result.stitches.map(({ id, flops, params }) => ({ id, flops, params })),
      [{ id: stitched.id, flops: stitched.flops, params: stitched.params }],
    );
  });

  await t.test('only what the stitch trains has moved, and the run is as it was', async () => {
    const after = await contentsOf(runFolder);
    assert.deepEqual([...after.keys()], [...before.keys()]);
    for (const [file, content] of after) assert.ok(content.equals(before.get(file)!), file);
    const network = async (run: string, id: number) => (await openTrial(await findTrial(run))).network(id);
    const [was, is] = [await network(runFolder, stitched.id), await network(folder, stitched.id)];
    const end = stitched.path.length - 1;
    assert.notDeepEqual(is.weights.head.weight.data, was.weights.head.weight.data);
    assert.ok(end > 0);
    assert.deepEqual((await openTrial(await findTrial(folder))).trained, [stitched.id]);
    await assert.rejects(network(folder, 0), { name: 'RequestError', message: /stitch 0 was not trained/ });
  });

  await t.test('the better rate on the validation images is used', async () => {
    const grid = await readLines(path.join(folder, 'trials', name, 'grid.jsonl'));
    const best = grid.reduce((one, other) => (Number(other['accuracy']) > Number(one['accuracy']) ? other : one));
    assert.deepEqual([grid.length, result.learningRate], [2, best['base_rate']]);
    assert.equal(result.finetuned!.alone.validation, best['accuracy']);
  });

  await t.test('it predicts as it was tested', async () => {
    const { splits } = await loadDataset(trialsOf(experiment)[0]!.dataset as ImageDatasetConfig, mini.cacheFolder, {
      seed: 0,
    });
    const network = await openDeployed(folder);
    const files = splits.test.map(({ file }) => file);
    const predictions = await predict(mini.engine, network, files, 1);
    const right = predictions.filter(({ top }, index) => top[0]!.class === splits.test[index]!.label).length;
    assert.equal((100 * right) / files.length, result.finetuned!.alone.test);
  });

  await t.test('stopped and resumed equals never stopped; once done it is read', async () => {
    const stopAt = (part: string, step: number) => (label: string, done: number) =>
      label.includes(part) && done === step;
    await assert.rejects(alone('stopped', stopAt(`, stitch-${stitched.id} at`, 4)), Interrupted);
    await alone('stopped');
    assert.deepEqual(await outcomeOf(path.join(mini.folder, 'stopped'), name), await outcomeOf(folder, name));
    const again = await alone('stopped', () => assert.fail('it is done'));
    assert.deepEqual(again.result.stitches, result.stitches);
  });

  await t.test('folders of other settings and of other trials are refused', async () => {
    await assert.rejects(alone('alone', undefined, { epochs: 1 }), {
      name: 'RequestError',
      message: /was trained in another way:\n {2}finetuned.final.epochs: there 2, now 1/,
    });
    await assert.rejects(alone('run'), { name: 'RequestError', message: /holds species-esta-seed0: what is made/ });
    assert.equal(derivedFolder('runs/flowers/', 'stitch-4'), path.join('runs', 'flowers-stitch-4'));
    assert.equal(derivedFolder('runs/cub', 'stitch-4', 'a-seed0'), path.join('runs', 'cub-a-seed0-stitch-4'));
  });

  await t.test('the command says what was gained, and what comes next', async () => {
    const rates = ['--rate', '0.1', '--rate', '1e-3'];
    const words = ['finetune', runFolder, '--stitch', String(stitched.id), '--epochs', '2', ...rates, '--out', folder];
    const done = await esta(words);
    assert.equal(done.status, 0, done.stderr);
    const lines = done.stdout.split('\n');
    assert.deepEqual(lines.slice(0, 3), gainLines(result, 12));
    assert.equal(lines[5], `Next: esta export ${folder} --out stitch.onnx`);
  });
});

/** Trains a stitch of the run of `mini` alone into a folder, until `isTime`; then it is stopped as by Ctrl-C. */
function aloneOf({ folder, engine, cacheFolder }: Miniature, stitch: number) {
  return async (
    out: string,
    isTime: (label: string, done: number) => boolean = () => false,
    changes: Partial<FinetuneRequest> = {},
  ) => {
    const controller = new AbortController();
    const progress = watchedProgress((label, done) => {
      if (isTime(label, done)) controller.abort();
    });
    const runtime = { engine, cacheFolder, progress, signal: controller.signal };
    const request = { stitch, epochs: 2, rates: [0.1, 1e-3], command: '', out: path.join(folder, out), ...changes };
    return finetune(runtime, await findTrial(path.join(folder, 'run')), request);
  };
}

/** All files below a folder, by their names in it. */
async function contentsOf(folder: string): Promise<Map<string, Buffer>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  return new Map(await Promise.all(files.sort().map(async (file) => [file, await readFile(file)] as const)));
}
