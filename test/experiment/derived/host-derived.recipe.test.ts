/** What is made from a trial of random weights, without mathematics: what it says, writes, refuses, and leaves behind. */
import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { findTrial } from '../../../src/experiment/deployed/found-trial.js';
import { type FinetuneRequest, finetune } from '../../../src/experiment/derived/finetune.js';
import { type RedeployRequest, redeploy } from '../../../src/experiment/derived/redeploy.js';
import { readTrained } from '../../../src/experiment/trial/trained-file.js';
import { regretView } from '../../../src/report/views/regret-view.js';
import { claimFolder, type Lock } from '../../../src/run-folder/lock.js';
import { fingerprintOf } from '../../../src/run-folder/measured/measurement.js';
import { writeMachine } from '../../../src/run-folder/measured/measurements-folder.js';
import { readRunFolder } from '../../../src/run-folder/run-folder.js';
import { RequestError } from '../../../src/shared/errors.js';
import { silentProgress } from '../../../src/shared/progress.js';
import { temporaryFolder } from '../../models/pretrained/fixtures.js';
import { machine } from '../../run-folder/measured/measured-fixture.js';
import { answering } from '../host-run.js';
import type { Answers } from '../trial/host-engine.js';
import { writtenAnchors, writtenRun } from '../written-run.js';

const json = async (...at: readonly string[]) =>
  JSON.parse(await readFile(path.join(...at), 'utf8')) as Record<string, unknown>;

const documentIn = async (folder: string, more: object = {}) => ({
  name: 'written',
  anchors: await writtenAnchors(folder),
  data: { kind: 'species', classes: 2, train_images: 3, validation_images: 1, test_images: 2 },
  adaptation: { ranks: [2, 2] },
  sampling: { bins: 2 },
  training: { epochs: 1, batch_size: 3, base_learning_rates: [0.1] },
  ...more,
});

function runtimeOf(folder: string, answers: Answers = {}) {
  const engine = answering(answers);
  const labels: string[] = [];
  const progress = { ...silentProgress, start: (label: string) => void labels.push(label) };
  const { signal } = new AbortController();
  return { engine, labels, runtime: { engine, progress, signal, cacheFolder: path.join(folder, 'cache') } };
}

test('a stitch is trained alone: tested before and after, its rate chosen, all that it made written', async (t) => {
  const folder = temporaryFolder(t);
  const { run, trialFolder } = await writtenRun(path.join(folder, 'run'), await documentIn(folder));
  let rate = 0;
  const answers: Answers = {
    step: (_, given) => {
      rate = given;
      return { loss: 1 };
    },
    // Of two validation images the lower rate has both; before any step one of four test images is right.
    correct: () => (rate === 0 ? 1 : rate < 1e-5 ? 2 : 1),
  };
  const { engine, labels, runtime: plain } = runtimeOf(folder, answers);
  const runtime = { ...plain, engine: { ...engine, precision: 'mixed' as const } };
  const out = path.join(folder, 'alone');
  const request: FinetuneRequest = { stitch: 2, epochs: 2, rates: [0.1, 0.0001], out, command: 'esta finetune run' };
  const { result, trial, tested } = await finetune(runtime, run, request);
  assert.deepEqual([trial, tested], ['species-esta-stitch-2-alone-seed0', 4]);
  assert.deepEqual([...engine.live], []);
  const made = path.join(out, 'trials', trial);
  assert.deepEqual(
    (await readdir(made)).filter((name) => /lock|checkpoint|grid-/.test(name)),
    [],
  );
  assert.deepEqual(await json(made, 'result.json'), JSON.parse(JSON.stringify(result)));
  const { learningRate, stages, stitches, epochs, finetuned, status, variant } = result;
  assert.deepEqual([status, variant, learningRate, epochs], ['finished', 'stitch 2 alone', 0.0001, 2]);
  assert.equal(result.precision, 'mixed');
  assert.deepEqual(
    stages!.map(({ name, grid, epochs }) => [
      name,
      epochs,
      grid!.map(({ learningRate, accuracy }) => [learningRate, accuracy]),
    ]),
    [
      [
        'stitch-2',
        2,
        [
          [0.1, 50],
          [0.0001, 100],
        ],
      ],
    ],
  );
  assert.deepEqual(
    stitches.map(({ id, accuracy, path: parts }) => [id, accuracy, parts]),
    [[2, 50, run.result.stitches[2]!.path]],
  );
  assert.deepEqual(finetuned, {
    from: trialFolder,
    shared: { validation: 50, test: 25 },
    alone: { validation: 100, test: 50 },
  });
  const last = await json(made, 'status.json');
  assert.deepEqual([last['state'], last['learningRate']], ['finished', 0.0001]);
  const trained = await readTrained(path.join(made, 'trained.safetensors'));
  assert.deepEqual([trained.stitches, trained.classes], [[2], ['first', 'second']]);
  assert.equal(trained.layers.length, 3);
  const { stages: recipes } = await json(made, 'recipe.json');
  assert.deepEqual(
    (recipes as { name: string }[]).map(({ name }) => name),
    ['stitch-2'],
  );
  const tests = labels.filter((label) => / images (after|before)/.test(label));
  assert.deepEqual(tests, [
    `${trial}: validation images before training alone`,
    `${trial}: test images before training alone`,
    `${trial}: validation images after training alone`,
    `${trial}: test images after training alone`,
  ]);
  const environment = await json(out, 'environment.json');
  assert.equal(environment['command'], 'esta finetune run');

  const ran = engine.ran.length;
  assert.deepEqual(await finetune(runtime, run, request), { result, trial, tested });
  assert.equal(engine.ran.length, ran, 'it is done');
  await assert.rejects(finetune(runtime, run, { ...request, epochs: 1 }), {
    message: /was trained in another way:\n {2}finetuned/,
  });
  await assert.rejects(finetune(runtime, run, { ...request, out: run.folder }), {
    ...{ name: 'RequestError', message: /holds species-esta-seed0: what is made from a run/, hint: /--out DIR/ },
  });
});

test('what was trained alone is neither deployed anew nor overwritten', async (t) => {
  const folder = temporaryFolder(t);
  const { run, trialFolder } = await writtenRun(path.join(folder, 'run'), await documentIn(folder));
  const { runtime } = runtimeOf(folder);
  const out = path.join(folder, 'alone');
  const request: FinetuneRequest = { stitch: 2, epochs: 1, rates: [0.1], out, command: '' };
  const { trial } = await finetune(runtime, run, request);
  // Trained alone once more, it has the name of the trial that it goes on from: which must not be the advice to delete that.
  const alone = await findTrial(out);
  await assert.rejects(finetune(runtime, alone, request), {
    message: new RegExp(`holds ${trial}: what is made from a run`),
  });
  const once = { batch: 1, median_ms: 1 };
  const trials = [
    { trial, fingerprint: fingerprintOf(alone.result), stitches: [{ id: 2, flops: 1, latencies: [once] }] },
  ];
  await writeMachine(out, { ...machine('phone'), trials });
  await assert.rejects(redeploy(runtime, await findTrial(out), { out: path.join(folder, 'on'), command: '' }), {
    ...{ name: 'RequestError', message: `${trial} has trained stitch 2 alone: there is nothing to choose from` },
    hint: `Give the run that it comes from, of ${trialFolder}.`,
  });
});

test('where the images of the run are others now, neither --out nor deleting the run is the advice', async (t) => {
  const folder = temporaryFolder(t);
  const { run } = await writtenRun(path.join(folder, 'run'), await documentIn(folder));
  const { runtime } = runtimeOf(folder);
  const request: FinetuneRequest = { stitch: 2, epochs: 1, rates: [0.1], out: path.join(folder, 'alone'), command: '' };
  await finetune(runtime, run, request);
  const identity = path.join(request.out, 'trials', 'species-esta-stitch-2-alone-seed0', 'identity.json');
  const recorded = JSON.parse(await readFile(identity, 'utf8')) as { anchors: object };
  await writeFile(identity, JSON.stringify({ ...recorded, anchors: { Ti: 'other', S: 'other' } }));
  await assert.rejects(finetune(runtime, await findTrial(request.out), { ...request, out: path.join(folder, 'on') }), {
    ...{ name: 'RequestError', message: /anchors/ },
    hint: 'Restore what has changed, or run the experiment again into another folder and give that.',
  });
});

test('a folder that another process writes is left alone; what diverges is recorded as failed', async (t) => {
  const folder = temporaryFolder(t);
  const { run } = await writtenRun(path.join(folder, 'run'), await documentIn(folder));
  const trial = 'species-esta-stitch-2-alone-seed0';
  const out = path.join(folder, 'alone');
  const made = path.join(out, 'trials', trial);
  const request: FinetuneRequest = { stitch: 2, epochs: 1, rates: [0.1], out, command: '' };
  const lock = (await claimFolder(made)) as Lock;
  const held = runtimeOf(folder);
  await assert.rejects(finetune(held.runtime, run, request), {
    ...{ name: 'RequestError', message: new RegExp(`is being written by process ${process.pid} on this machine`) },
    hint: /^Wait until that has ended .* --out DIR\.$/,
  });
  assert.ok(!held.engine.ran.some((program) => program.startsWith('step')));
  await lock.release();

  const diverging = runtimeOf(folder, { step: () => ({ loss: Number.NaN }) });
  await assert.rejects(finetune(diverging.runtime, run, request), { name: 'TrialError', message: /the loss is NaN/ });
  const status = await json(made, 'status.json');
  assert.equal(status['state'], 'failed');
  assert.match(String(status['error']), /^the loss is NaN/);
  const wrong = runtimeOf(folder, {
    step: () => {
      throw new RequestError('an image is broken');
    },
  });
  await assert.rejects(finetune(wrong.runtime, run, request), { message: 'an image is broken' });
  assert.equal((await json(made, 'status.json'))['state'], 'running', 'the request was wrong, not the trial');
  const { result } = await finetune(runtimeOf(folder).runtime, run, request);
  assert.equal(result.status, 'finished');
  assert.ok(!('grid' in result.stages![0]!));
});

/**
 * A trial with scores, which the phone has measured whole: stitch n takes n + 1 ms, the largest anchor 20.
 * @param scoreOf importance score of a stitch
 */
async function measuredWhole(folder: string, document: object = {}, scoreOf = (id: number) => (7 * id) % 5) {
  const runFolder = path.join(folder, 'run');
  const { run, space, trialFolder } = await writtenRun(runFolder, await documentIn(folder, document));
  const scores = space.stitches.map(({ id }) => scoreOf(id));
  const line = { stage: 'stitched', epoch: 1, base_rate: 0.1, scores, draws: [] };
  await writeFile(path.join(trialFolder, 'importance.jsonl'), `${JSON.stringify(line)}\n`);
  const stitches = scores.map((_, id) => ({
    ...{ id, flops: 1, latencies: [{ batch: 1, median_ms: id === 1 ? 20 : id + 1 }] },
  }));
  const trials = [{ trial: run.name, fingerprint: fingerprintOf(run.result), stitches }];
  await writeMachine(runFolder, { ...machine('phone'), trials });
  return { run: await findTrial(runFolder), stitches };
}

test('what a cheaper stitch beats on the validation images is not deployed for a machine either', async (t) => {
  const folder = temporaryFolder(t);
  const document = {
    data: { kind: 'species', classes: 2, train_images: 3, validation_images: 3, test_images: 2 },
    evaluation: { leave_out_beaten: true },
  };
  const { run } = await measuredWhole(folder, document, (id) => id);
  // Of six validation images stitch 5 of the first bin has five, 11 of the second none, and the largest anchor none.
  const { labels, runtime } = runtimeOf(folder, { correct: (id) => (id === 5 ? 5 : 0) });
  const { result } = await redeploy(runtime, run, { out: path.join(folder, 'out'), command: 'esta deploy', bins: 2 });
  assert.deepEqual(
    result.stitches.map(({ id, bin }) => [id, bin]),
    [
      [5, 0],
      [1, undefined],
    ],
  );
  assert.deepEqual(result.beaten, [{ id: 11, bin: 1, by: 5 }]);
  assert.deepEqual(labels.slice(-2), [`${run.name}: comparing the deployed stitches`, `${run.name}: testing`]);
});

test('an anchor is deployed for its bin of milliseconds, too, where the run deploys anchors', async (t) => {
  const folder = temporaryFolder(t);
  const { run } = await measuredWhole(folder, { evaluation: { deploy_anchors: true } }, (id) => id);
  const request = { out: path.join(folder, 'out'), command: 'esta deploy', bins: 2 };
  const { result } = await redeploy(runtimeOf(folder).runtime, run, request);
  assert.deepEqual(
    result.stitches.map(({ id, bin }) => [id, bin]),
    [
      [0, 0],
      [11, 1],
      [1, undefined],
    ],
  );
});

test('bins of milliseconds deploy the best scores, or what is the most accurate on the validation images', async (t) => {
  const folder = temporaryFolder(t);
  const runFolder = path.join(folder, 'run');
  const { run, space, trialFolder } = await writtenRun(runFolder, await documentIn(folder), {
    result: { precision: 'mixed' },
  });
  const scores = space.stitches.map(({ id }) => (id === 3 ? null : (7 * id) % 5));
  const lines = [
    { stage: 'stitched', epoch: 1, base_rate: 0.1, scores: scores.map(() => 1), draws: [] },
    { stage: 'stitched', epoch: 2, base_rate: 0.1, scores, draws: [] },
    { stage: 'other', epoch: 1, base_rate: 0.1, scores: scores.map(() => 9), draws: [] },
  ];
  await writeFile(
    path.join(trialFolder, 'importance.jsonl'),
    lines.map((line) => `${JSON.stringify(line)}\n`).join(''),
  );
  const fingerprint = fingerprintOf(run.result);
  const stitches = space.stitches.map(({ id }) => ({
    ...{ id, flops: 1, latencies: [{ batch: 1, median_ms: id === 1 ? 20 : id + 1 }] },
  }));
  await writeMachine(runFolder, { ...machine('phone'), trials: [{ trial: run.name, fingerprint, stitches }] });
  const measured = await findTrial(runFolder);
  const { engine, labels, runtime } = runtimeOf(folder, { correct: (id) => id % 3 });
  const on = (out: string, changes: Partial<RedeployRequest> = {}) =>
    redeploy(runtime, measured, { out: path.join(folder, out), command: 'esta deploy', bins: 2, ...changes });
  const { result, trial } = await on('scores');
  assert.equal(trial, 'species-esta-by-ms-on-phone-seed0');
  // 1 to 12 ms in two bins: ids 0 and 2 to 5, and 6 to 11; the largest anchor beside them.
  const best = (ids: readonly number[]) => ids.reduce((a, b) => ((scores[b] ?? -1) > (scores[a] ?? -1) ? b : a));
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);
  const expected = [best([0, 2, 3, 4, 5]), best(range(6, 12)), 1];
  assert.deepEqual(
    result.stitches.map(({ id, bin, importance }) => [id, bin, importance]),
    expected.map((id, bin) => [id, id === 1 ? undefined : bin, scores[id] ?? undefined]),
  );
  // n modulo 3 of the four test images.
  assert.deepEqual(
    result.stitches.map(({ accuracy }) => accuracy),
    expected.map((id) => 25 * (id % 3)),
  );
  const { learningRate, trainSeconds, epochs, precision, deploySeconds, stages } = result;
  assert.deepEqual([learningRate, trainSeconds, epochs, precision, stages], [0.1, 1, 1, 'mixed', undefined]);
  assert.ok(deploySeconds! >= 0 && deploySeconds! < 600);
  assert.deepEqual([...engine.live], []);
  assert.deepEqual(labels.slice(-1), [`${run.name}: testing`]);
  const made = path.join(folder, 'scores', 'trials', trial);
  const copied = await readFile(path.join(made, 'trained.safetensors'));
  assert.deepEqual(copied, await readFile(path.join(trialFolder, 'trained.safetensors')));
  assert.equal((await json(made, 'status.json'))['state'], 'finished');
  const table = await json(folder, 'scores', 'measurements', 'phone.json');
  const [kept] = table['trials'] as { trial: string; stitches: { id: number }[] }[];
  assert.equal(kept!.trial, trial);
  assert.deepEqual(kept!.stitches.map(({ id }) => id).sort(), [...expected].sort());

  // What is deployed for a machine goes on alone as any stitch does.
  const onPhone = await findTrial(path.join(folder, 'scores'));
  const alone = { stitch: expected[0]!, epochs: 1, rates: [0.1], out: path.join(folder, 'alone'), command: '' };
  const further = await finetune(runtime, onPhone, alone);
  assert.deepEqual([further.result.status, further.result.stitches[0]!.id], ['finished', expected[0]]);

  const validated = await on('validated', { by: 'validation', bins: undefined });
  const written = await json(folder, 'validated', 'trials', trial, 'validation.json');
  const each = written['stitches'] as { id: number; accuracy: number; importance?: number; bin?: number }[];
  // Of two validation images.
  assert.deepEqual(
    each.map(({ id, accuracy, importance }) => [id, accuracy, importance]),
    space.stitches.map(({ id }) => [id, 50 * (id % 3), scores[id] ?? undefined]),
  );
  assert.deepEqual(
    validated.result.stitches.map(({ id }) => id % 3),
    [2, 2, 1],
    'the two bins of the trial, and its largest anchor',
  );
  assert.ok(labels.includes(`${run.name}: evaluating all stitches`));
  assert.equal(written['bins'], 2);
  const all = await json(folder, 'validated', 'measurements', 'phone.json');
  assert.equal((all['trials'] as { stitches: object[] }[])[0]!.stitches.length, space.stitches.length);

  await writeMachine(runFolder, {
    ...machine('phone'),
    trials: [{ trial: run.name, fingerprint, stitches: stitches.slice(0, 3) }],
  });
  await assert.rejects(redeploy(runtime, await findTrial(runFolder), { out: path.join(folder, 'few'), command: '' }), {
    ...{ name: 'RequestError', message: `phone has measured 3 of the 12 stitches of ${run.name}` },
    hint: /esta measure .* --all --form form\.csv$/,
  });
  await assert.rejects(readdir(path.join(folder, 'few')), { code: 'ENOENT' });
});

test('what was deployed for one machine is deployed for another by the same scores', async (t) => {
  const folder = temporaryFolder(t);
  const { run, stitches } = await measuredWhole(folder);
  const { runtime } = runtimeOf(folder);
  const first = await redeploy(runtime, run, { out: path.join(folder, 'first'), command: '', bins: 3 });
  const onPhone = await findTrial(path.join(folder, 'first'));
  const { trial, result } = first;
  const tablet = { trial, fingerprint: fingerprintOf(result), rounds: 3, stitches };
  await writeMachine(onPhone.folder, { ...machine('tablet'), trials: [tablet] });
  const request = { out: path.join(folder, 'again'), command: '', bins: 3, machine: 'tablet' };
  const again = await redeploy(runtime, await findTrial(onPhone.folder), request);
  assert.deepEqual(again.result.stitches, result.stitches);
  const [written] = (await json(folder, 'again', 'measurements', 'tablet.json'))['trials'] as { rounds: number }[];
  assert.equal(written!.rounds, 3);
});

test('its validation is of as many bins as are asked for, of milliseconds and of FLOPs', async (t) => {
  const folder = temporaryFolder(t);
  const { run } = await measuredWhole(folder);
  const { runtime } = runtimeOf(folder, { correct: (id) => id % 3 });
  const out = path.join(folder, 'on');
  const { result, trial } = await redeploy(runtime, run, { out, command: '', by: 'validation', bins: 3 });
  const { bins, stitches } = await json(out, 'trials', trial, 'validation.json');
  assert.deepEqual([bins, Math.max(...(stitches as { bin?: number }[]).map(({ bin = 0 }) => bin))], [3, 2]);
  const rows = regretView([await readRunFolder(out)])!.rows.map(({ cells }) => cells);
  const binsOf = (what: string) => rows.flatMap(({ bins, bin }) => (bins === what ? [bin] : []));
  assert.deepEqual(binsOf('ms on phone'), ['1', '2', '3', 'mean']);
  assert.deepEqual(binsOf('FLOPs'), ['1', '2', '3', 'mean']);
  assert.deepEqual(
    result.stitches.map(({ bin }) => bin),
    [0, 1, 2, undefined],
  );
});

test('what cannot be deployed by a rule is refused', async (t) => {
  const folder = temporaryFolder(t);
  const of = async (method: string, by: RedeployRequest['by']) => {
    const runFolder = path.join(folder, method);
    const { run } = await writtenRun(runFolder, await documentIn(folder, { methods: [method] }), { deployed: [0] });
    const stitches = [{ id: 0, flops: 1, latencies: [{ batch: 1, median_ms: 1 }] }];
    const trials = [{ trial: run.name, fingerprint: fingerprintOf(run.result), stitches }];
    await writeMachine(runFolder, { ...machine('phone'), trials });
    const request = { out: path.join(folder, 'out'), command: '', by };
    return redeploy(runtimeOf(folder).runtime, await findTrial(runFolder), request);
  };
  await assert.rejects(of('anchor-lora', undefined), {
    message: /has stitched nothing: all that it trained is deployed/,
    hint: /^Give a run of a method that stitches\. .*\nNext: esta recommend \S+ --trial \S+ --budget 5ms --machine phone$/,
  });
  await assert.rejects(of('sn-net', 'importance'), {
    message: /has no importance scores/,
    hint: 'Give --by validation.',
  });
});
