/** Trials taken over from another run: only with exactly the same settings, and as if they had been run here. */
import assert from 'node:assert/strict';
import { access, cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import type { Experiment } from '../../src/config/schema/experiment.js';
import { studyOf } from '../../src/experiment/studies/study.js';
import { readRunFolder } from '../../src/run-folder/run-folder.js';
import { RequestError } from '../../src/shared/errors.js';
import { silentProgress } from '../../src/shared/progress.js';
import { miniature, outcomeOf } from './miniature.js';

/** Fails as soon as something is computed. */
function idleProgress(lines: string[]) {
  return { ...silentProgress, line: (text: string) => void lines.push(text), start: () => assert.fail('computes') };
}

test('a study takes over the trials that the experiment has finished, and reports as if it had run them', async (t) => {
  const mini = await miniature(t);
  const experiment = mini.experiment({ training: { epochs: 1 } });
  await mini.run(experiment, 'runs/plain');
  // What a kill between the result and the end of the trial leaves.
  const left = ['lock.1', 'checkpoint-stitched.safetensors', 'result.json.1.tmp'];
  const source = path.join(mini.folder, 'runs', 'plain', 'trials', 'species-esta-seed0');
  await Promise.all(left.map((name) => writeFile(path.join(source, name), '{}')));
  const { experiment: study, variants } = studyOf('distillation', experiment, 1);
  const [base] = variants.filter(({ name }) => name === 'with distillation');
  const lines: string[] = [];
  const options = { variants: [base!], reuse: [path.join(mini.folder, 'runs')], progress: idleProgress(lines) };
  const [taken] = await mini.run(study, 'runs/study', options);

  const plain = path.join(mini.folder, 'runs', 'plain');
  const name = 'species-esta-with-distillation-seed0';
  assert.deepEqual(lines, [`${name}: taken from ${source}`]);
  const copied = await readdir(path.join(mini.folder, 'runs', 'study', 'trials', name));
  assert.deepEqual(
    copied.filter((file) => left.includes(file)),
    [],
  );
  const before = (await outcomeOf(plain, 'species-esta-seed0')) as { result: object };
  const after = (await outcomeOf(path.join(mini.folder, 'runs', 'study'), name)) as { result: object };
  const { configuration } = taken!;
  const own = { variant: 'with distillation', configuration, takenFrom: source };
  assert.deepEqual(after, { ...before, result: { ...before.result, ...own } });

  const { trials, problems } = await readRunFolder(path.join(mini.folder, 'runs', 'study'));
  assert.deepEqual([trials.map(({ state }) => state), problems], [['finished'], []]);
  // Now it is the study's own: without the other run it is finished all the same.
  const again = await mini.run(study, 'runs/study', { variants: [base!], progress: idleProgress([]) });
  assert.deepEqual(again, [taken]);
  // The other way round the name of the variant stays behind.
  const fromStudy = { reuse: [path.join(mini.folder, 'runs', 'study')], progress: idleProgress([]) };
  const [back] = await mini.run(experiment, 'back', fromStudy);
  assert.deepEqual([back!.variant, back!.method], [undefined, 'esta']);
});

test('other settings, failed and damaged trials are not taken over', async (t) => {
  const mini = await miniature(t);
  const experiment = mini.experiment({ training: { epochs: 1 } });
  await mini.run(experiment, 'plain');
  const reuse = [path.join(mini.folder, 'plain')];
  const others: Record<string, Experiment> = {
    seed: mini.experiment({ training: { epochs: 1 }, seeds: [1] }),
    epochs: mini.experiment({ training: { epochs: 2 } }),
    rate: mini.experiment({ training: { epochs: 1, base_learning_rates: [0.2] } }),
    method: mini.experiment({ training: { epochs: 1 }, methods: ['naive-lora'] }),
    images: mini.experiment({
      training: { epochs: 1 },
      data: { kind: 'species', classes: 2, train_images: 8, validation_images: 2, test_images: 6 },
    }),
  };
  for (const [what, other] of Object.entries(others)) {
    const [result] = await mini.run(other, what, { reuse });
    assert.deepEqual([result!.status, result!.takenFrom], ['finished', undefined], what);
  }
  const file = (run: string) => path.join(mini.folder, run, 'trials', 'species-esta-seed0', 'result.json');
  const whole = await readFile(file('plain'), 'utf8');
  const failed = JSON.stringify({ ...JSON.parse(whole), status: 'failed', error: 'no memory' });
  for (const [what, content] of Object.entries({ failed, damaged: whole.slice(0, 40) })) {
    await cp(path.join(mini.folder, 'plain'), path.join(mini.folder, `${what}-source`), { recursive: true });
    await writeFile(file(`${what}-source`), content);
    const [result] = await mini.run(experiment, what, { reuse: [path.join(mini.folder, `${what}-source`)] });
    assert.deepEqual([result!.status, result!.takenFrom], ['finished', undefined], what);
  }
});

test('a folder to take from that is not there or holds no run is refused', async (t) => {
  const mini = await miniature(t);
  await mkdir(path.join(mini.folder, 'empty'));
  for (const [name, message] of [
    ['nowhere', /nowhere does not exist/],
    ['empty', /empty: no run folder/],
  ] as const) {
    const two = mini.experiment({ seeds: [0, 1] }); // neither fails alone: nothing is begun
    await assert.rejects(mini.run(two, 'run', { reuse: [path.join(mini.folder, name)] }), (error) => {
      assert.ok(error instanceof RequestError);
      assert.match(error.message, message);
      return true;
    });
    await assert.rejects(access(path.join(mini.folder, 'run')), 'nothing is written');
  }
});
