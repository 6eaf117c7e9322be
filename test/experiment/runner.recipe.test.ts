/** A run around its trials: what is run, taken, refused, recorded and told. What trials compute: the recipe tests. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { readTrained } from '../../src/experiment/trial/trained-file.js';
import { claimFolder } from '../../src/run-folder/lock.js';
import { Interrupted, RequestError } from '../../src/shared/errors.js';
import { noTrainables } from '../../src/stitching/parameters/trainables.js';
import { hostRun } from './host-run.js';

const json = async (...at: readonly string[]) =>
  JSON.parse(await readFile(path.join(...at), 'utf8')) as Record<string, unknown>;

test('a trial: what is deployed is tested, and all that it made is written; the device is empty afterwards', async (t) => {
  const run = await hostRun(t);
  const { results, engine } = await run.start(run.experiment({ training: { base_learning_rates: [0.1, 0.2] } }));
  const [result] = results;
  assert.equal(result!.status, 'finished', result!.error);
  assert.equal(engine.live.size, 0);
  const folder = path.join(run.folder, 'run', 'trials', 'mine-esta-seed0');
  assert.deepEqual((await readdir(folder)).sort(), [
    ...['grid.jsonl', 'identity.json', 'importance.jsonl', 'metrics.jsonl', 'recipe.json', 'result.json'],
    ...['status.json', 'trained.safetensors'],
  ]);
  assert.deepEqual(await json(folder, 'result.json'), result);
  // Four test images in one batch, of which stitch n gets n modulo 3 right.
  for (const { id, accuracy } of result!.stitches) assert.equal(accuracy, 25 * (id % 3));
  assert.deepEqual(result!.stitches.at(-1)!.path, [{ anchor: 'S', blocks: [0, 4] }]);
  const [stage, ...others] = result!.stages!;
  assert.deepEqual([stage!.name, stage!.grid!.length, others.length, result!.epochs], ['stitched', 2, 0, 1]);
  assert.equal(result!.trainSeconds, stage!.trainSeconds);
  assert.equal(result!.learningRate, stage!.learningRate);
  assert.equal(result!.layerStartErrors!.length, 3);
  assert.ok(
    result!.layerStartErrors!.every((error) => error > 0 && error < 1.5),
    `${result!.layerStartErrors}`,
  );
  assert.ok(typeof result!.deploySeconds === 'number');
  const trained = await readTrained(path.join(folder, 'trained.safetensors'));
  assert.deepEqual(trained.classes, ['dark', 'light']);
  assert.equal(trained.layers.length, 3);
  assert.deepEqual(
    [trained.layers[0]!.weight.shape, Object.keys(trained.trainables.updates)],
    [
      [32, 64],
      ['0', '1'],
    ],
  );
  assert.deepEqual(trained.alone, noTrainables, 'nothing was adapted before it was stitched');
  const { seed, stages } = await json(folder, 'recipe.json');
  // Six training images: two batches of three in each epoch.
  assert.deepEqual([seed, (stages as { final: { steps: number } }[])[0]!.final.steps], [0, 2]);
  const status = await json(folder, 'status.json');
  assert.deepEqual([status['state'], status['learningRate']], ['finished', result!.learningRate]);
});

test('what is finished is not run again; another way to train it is refused, and so are other images', async (t) => {
  const run = await hostRun(t);
  const { results } = await run.start(run.experiment());
  const again = await run.start(run.experiment());
  assert.deepEqual([again.results, again.engine.ran, run.told], [results, [], ['mine-esta-seed0: finished before']]);
  const refused = (pattern: RegExp) => (error: unknown) => error instanceof RequestError && pattern.test(error.message);
  await assert.rejects(run.start(run.experiment({ training: { epochs: 2 } })), refused(/epochs: there 1, now 2/));
  const image = path.join(run.root, 'train', 'dark', '0.png');
  const kept = await readFile(image);
  await writeFile(image, Buffer.concat([kept, Buffer.from(' ')]));
  await assert.rejects(run.start(run.experiment()), refused(/mine-esta-seed0 was trained in another way:\n.*images/));
  await writeFile(image, kept);
  await rm(run.root, { recursive: true });
  assert.deepEqual((await run.start(run.experiment())).results, results);
  assert.match(
    run.told.at(-1)!,
    /^mine-esta-seed0: finished before; what it was trained on could not be compared again: /,
  );
  await assert.rejects(run.start(run.experiment({ seeds: [0, 1] })), refused(/images is not there/));
  await rm(path.join(run.folder, 'run', 'trials', 'mine-esta-seed0', 'identity.json'));
  assert.deepEqual((await run.start(run.experiment())).results, results);
  assert.equal(run.told.at(-1), 'mine-esta-seed0: finished before, by a version of esta that did not record with what');
});

test('a trial that diverges, or whose images cannot be read, is recorded, and the others still run', async (t) => {
  const run = await hostRun(t);
  const experiment = run.experiment({ seeds: [0, 1] });
  let trial = 0;
  const { results } = await run.start(
    experiment,
    {},
    {
      step: () => ({ loss: trial++ === 0 ? Number.NaN : 1, saliency: 1 }),
    },
  );
  assert.deepEqual(
    results.map(({ status, seed }) => [status, seed]),
    [
      ['failed', 0],
      ['finished', 1],
    ],
  );
  const reason = /^the loss is NaN at step 0 of 2/;
  assert.match(results[0]!.error!, reason);
  assert.deepEqual([results[0]!.stitches, results[0]!.epochs, results[0]!.trainSeconds], [[], 0, 0]);
  const folder = path.join(run.folder, 'run', 'trials', 'mine-esta-seed0');
  const [status, result] = [await json(folder, 'status.json'), await json(folder, 'result.json')];
  assert.deepEqual([status['state'], result['status']], ['failed', 'failed']);
  assert.match(String(status['error']), reason);
  assert.match(
    run.told[0]!,
    /^mine-esta-seed0 failed: the loss is NaN.*\nLower training\.base_learning_rates; the last/,
  );

  // Failed trials are run again, and only they.
  const second = await run.start(
    experiment,
    {},
    {
      step: () => {
        assert.equal(existsSync(path.join(folder, 'result.json')), false); // the failure is not of this attempt
        throw new RequestError('an image is broken', 'Delete it.');
      },
    },
  );
  assert.deepEqual(
    second.results.map(({ status, error }) => [status, error]),
    [
      ['failed', 'an image is broken'],
      ['finished', undefined],
    ],
  );
  assert.equal(run.told.at(-2), 'mine-esta-seed0 failed: an image is broken\nDelete it.');
  // A single trial is the whole request.
  const broken = (error: Error) => ({
    step: () => {
      throw error;
    },
  });
  const single = run.experiment();
  await assert.rejects(run.start(single, {}, broken(new RequestError('an image is broken'))), RequestError);
});

test('trials that another process runs are left to it', async (t) => {
  const run = await hostRun(t);
  const held = path.join(run.folder, 'run', 'trials', 'mine-esta-seed0');
  const lock = await claimFolder(held);
  assert.ok(!('heldBy' in lock));
  const told = new RegExp(`^mine-esta-seed0 is being run by process ${process.pid} on this machine`);
  const { results } = await run.start(run.experiment({ seeds: [0, 1] }));
  assert.deepEqual(
    results.map(({ seed }) => seed),
    [1],
  );
  assert.match(run.told[0]!, told);
  // Nothing else is left to do.
  await assert.rejects(run.start(run.experiment({ seeds: [0, 1] })), (error) => {
    assert.ok(error instanceof RequestError);
    assert.match(error.message, told);
    assert.match(error.hint!, /^Nothing was done here\. Wait for it/);
    return true;
  });
  await lock.release(false);
});

test('a trial that another process took over and let go again is left to it; the others still run', async (t) => {
  const run = await hostRun(t);
  const folder = path.join(run.folder, 'run', 'trials', 'mine-esta-seed0');
  const step = () => {
    for (const name of readdirSync(folder)) if (/^lock\.\d+$/.test(name)) rmSync(path.join(folder, name));
    return { loss: 1, saliency: 1 };
  };
  const { results } = await run.start(run.experiment({ seeds: [0, 1] }), {}, { step });
  assert.deepEqual(
    results.map(({ seed, status }) => [seed, status]),
    [[1, 'finished']],
  );
  assert.match(run.told[0]!, /^mine-esta-seed0 was taken over by another process/);
  assert.equal(existsSync(path.join(folder, 'result.json')), false, 'it has not failed');
});

test('Ctrl-C before the first step ends the run; nothing is left on the device', async (t) => {
  const run = await hostRun(t);
  await assert.rejects(run.start(run.experiment(), { signal: AbortSignal.abort() }), Interrupted);
  const status = await json(run.folder, 'run', 'trials', 'mine-esta-seed0', 'status.json');
  assert.deepEqual(
    [status['state'], status['epoch'], status['epochs'], status['trained']],
    ['running', 0, 1, undefined],
  );
});

test('finished trials of other folders are taken over where they are the same', async (t) => {
  const run = await hostRun(t);
  const { results } = await run.start(run.experiment());
  const reuse = [path.join(run.folder, 'run')];
  const again = await run.start(run.experiment(), { into: 'second', reuse });
  assert.deepEqual(again.engine.ran, []);
  const { takenFrom, ...taken } = again.results[0]!;
  assert.deepEqual(taken, results[0]);
  assert.equal(takenFrom, path.join(run.folder, 'run', 'trials', 'mine-esta-seed0'));
  assert.deepEqual(run.told, [`mine-esta-seed0: taken from ${takenFrom}`]);
  const other = await run.start(run.experiment({ training: { weight_decay: 0.3 } }), { into: 'third', reuse });
  assert.ok(other.engine.ran.length > 0, 'others are run');
});
