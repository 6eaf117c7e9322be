/** `esta finetune`, `esta deploy` and `esta measure` below their flags, on a trial of random weights. */
import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { findTrial } from '../../../src/experiment/deployed/found-trial.js';
import { performFinetuning, performRedeployment } from '../../../src/experiment/derived/perform.js';
import { performMeasurement } from '../../../src/experiment/measure/measure.js';
import { writeMachine } from '../../../src/run-folder/measured/measurements-folder.js';
import { RequestError } from '../../../src/shared/errors.js';
import { temporaryFolder } from '../../models/pretrained/fixtures.js';
import { writtenAnchors, writtenRun } from '../written-run.js';

async function written(t: TestContext) {
  const folder = temporaryFolder(t);
  const cache = process.env['XDG_CACHE_HOME'];
  process.env['XDG_CACHE_HOME'] = folder;
  t.after(() => {
    if (cache === undefined) delete process.env['XDG_CACHE_HOME'];
    else process.env['XDG_CACHE_HOME'] = cache;
  });
  const document = {
    name: 'written',
    anchors: await writtenAnchors(folder),
    data: { kind: 'species', classes: 2, train_images: 2, validation_images: 1, test_images: 1 },
    adaptation: { ranks: [2, 2] },
    sampling: { bins: 2 },
    training: { epochs: 1, batch_size: 4, base_learning_rates: [0.1] },
  };
  return { folder, ...(await writtenRun(path.join(folder, 'run'), document)) };
}

test('a run that asks for a precision is trained further in it, or in what is asked for then', async (t) => {
  const { run } = await written(t);
  const file = path.join(run.folder, 'experiment.yaml');
  await writeFile(file, (await readFile(file, 'utf8')).replace('training:', 'training:\n  precision: mixed'));
  const tuned = { engine: 'onnxruntime', device: 'cpu', stitch: 0, epochs: 1, rate: [0.1], command: '' } as const;
  const refused = (precision: RegExp) => (error: unknown) =>
    error instanceof RequestError && precision.test(error.message);
  await assert.rejects(performFinetuning(run.folder, tuned), refused(/precision: mixed is not what/));
  await assert.rejects(
    performFinetuning(run.folder, { ...tuned, precision: 'tf32' }),
    refused(/precision: tf32 is not/),
  );
});

test('measured, deployed by milliseconds, and trained further: each in a folder beside the run', async (t) => {
  const { folder, run, trialFolder, space } = await written(t);
  const environment = async (out: string) => JSON.parse(await readFile(path.join(out, 'environment.json'), 'utf8'));
  const measuring = { threads: 1, all: false, batch: 1, rounds: 1, again: false };
  const measured = await performMeasurement(run, { ...measuring, machine: 'here' });
  assert.equal(measured.processor, os.cpus()[0]!.model.trim());
  const [trial] = measured.trials;
  assert.deepEqual(
    trial!.stitches.map(({ id, latencies }) => [id, latencies.map(({ batch }) => batch)]),
    [0, 1, 2].map((id) => [id, [1]]),
  );
  assert.deepEqual(await readdir(path.join(run.folder, 'measurements')), ['here.json']);
  const known = await findTrial(run.folder);
  assert.equal((await performMeasurement(known, { ...measuring, machine: 'here' })).measured_at, measured.measured_at);

  // More rounds are measured anew; what --all has measured is measured again beside what is deployed.
  const more = await performMeasurement(known, { ...measuring, rounds: 2, machine: 'here' });
  assert.deepEqual([measured.trials[0]!.rounds, more.trials[0]!.rounds], [1, 2]);
  await performMeasurement(known, { ...measuring, all: true, machine: 'whole' });
  const whole = await performMeasurement(await findTrial(run.folder), { ...measuring, again: true, machine: 'whole' });
  assert.deepEqual(
    whole.trials[0]!.stitches.map(({ id }) => id),
    space.stitches.map(({ id }) => id),
  );
  await rm(path.join(run.folder, 'measurements', 'whole.json'));

  // As if the rest had been measured too.
  const { latencies } = trial!.stitches[0]!;
  const stitches = space.stitches.map(({ id }) => ({ id, flops: 1, latencies }));
  await writeMachine(run.folder, { ...measured, trials: [{ ...trial!, stitches }] });
  const scores = space.stitches.map(({ id }) => id);
  const line = { stage: 'stitched', epoch: 1, base_rate: 0.1, scores, draws: [] };
  await writeFile(path.join(trialFolder, 'importance.jsonl'), `${JSON.stringify(line)}\n`);
  const flags = { engine: 'onnxruntime', device: 'cpu' } as const;
  const deployed = await performRedeployment(run.folder, { ...flags, bins: 2, command: 'esta deploy run' });
  const made = path.join(folder, 'run-on-here');
  assert.deepEqual([path.resolve(deployed.out), deployed.trial], [made, 'species-esta-by-ms-on-here-seed0']);
  assert.deepEqual(
    deployed.machines.map(({ machine }) => machine),
    ['here'],
  );
  assert.equal(deployed.result.stitches.at(-1)!.id, 1, 'the largest anchor');
  assert.equal((await environment(made)).command, 'esta deploy run');

  const tuned = { ...flags, trial: run.name, stitch: 0, epochs: 1, rate: [0.1], command: 'esta finetune run' };
  const alone = await performFinetuning(run.folder, tuned);
  assert.equal(path.resolve(alone.out), path.join(folder, `run-${run.name}-stitch-0`));
  assert.deepEqual([alone.tested, alone.result.stitches[0]!.id, alone.result.learningRate], [2, 0, 0.1]);
  const out = path.join(folder, 'elsewhere');
  const given = await performFinetuning(run.folder, { ...tuned, trial: undefined, stitch: undefined, out });
  assert.deepEqual([given.out, given.trial], [out, 'species-esta-stitch-2-alone-seed0'], 'that of the most FLOPs');
  assert.equal((await environment(out)).command, 'esta finetune run');
});
