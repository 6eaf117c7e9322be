/** Items of a trial one by one, without mathematics: what each runs, writes, waits for, and leaves on the device. */
import assert from 'node:assert/strict';
import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Experiment } from '../../../src/config/schema/experiment.js';
import { itemsOfPlan } from '../../../src/experiment/items/item.js';
import { describeOutcome, type Outcome, openItems } from '../../../src/experiment/items/run-items.js';
import { planOf } from '../../../src/experiment/plan.js';
import { claimFolder, type Lock } from '../../../src/run-folder/lock.js';
import { Interrupted, RequestError } from '../../../src/shared/errors.js';
import { readJsonLines } from '../../../src/shared/files.js';
import { silentProgress } from '../../../src/shared/progress.js';
import { answering, type HostRun, hostRun } from '../host-run.js';
import type { Answers, HostEngine } from '../trial/host-engine.js';

interface Opened {
  readonly engine: HostEngine;
  readonly told: string[];
  run(name: string): Promise<Outcome>;
  patiently(name: string): Promise<Outcome>;
}

const method = 'adapt-then-stitch';
const trial = `mine-${method}-seed0`;

const gridded = (run: HostRun, rates: readonly number[], methods: readonly string[] = [method]) =>
  run.experiment({ methods, training: { base_learning_rates: rates, epochs: 2, grid_epochs: 1, anchor_epochs: 3 } });

async function opened(
  run: HostRun,
  experiment: Experiment,
  answers: Answers = {},
  more: { readonly signal?: AbortSignal; readonly trials?: ReadonlySet<string> } = {},
): Promise<Opened> {
  const runFolder = path.join(run.folder, 'run');
  const items = itemsOfPlan(await planOf(experiment, runFolder));
  const told: string[] = [];
  const engine = answering(answers);
  const { signal } = new AbortController();
  const open = await openItems({
    ...{ experiment, variants: [], items, runFolder, engine, signal, reuse: [], cacheFolder: run.cacheFolder },
    ...{ progress: { ...silentProgress, line: (text: string) => void told.push(text) }, ...more },
  });
  const idOf = (name: string) => (name === '' ? trial : `${trial}/${name}`);
  return { engine, told, run: (name) => open.run(idOf(name)), patiently: (name) => open.runPatiently(idOf(name)) };
}

const kindsOf = (ran: readonly string[]) => [
  ...new Set(ran.map((program) => /^(step of stitch \d+|features|stitch \d+|sweep)/.exec(program)?.[1] ?? program)),
];

async function trialOf(t: TestContext, rates: readonly number[]) {
  const run = await hostRun(t);
  const folder = path.join(run.folder, 'run', 'trials', trial);
  const status = async () => JSON.parse(await readFile(path.join(folder, 'status.json'), 'utf8'));
  return { run, folder, status, experiment: gridded(run, rates) };
}

test('anchors alone, then stitched: each item runs what it is of, and the device is empty afterwards', async (t) => {
  const { run, folder, status, experiment } = await trialOf(t, [0.1, 0.2]);
  const ids = (...names: string[]) => names.map((name) => `${trial}/${name}`);
  const { engine, run: next } = await opened(run, experiment);
  const empty = () => assert.deepEqual([...engine.live], []);
  assert.deepEqual(await next('evaluation'), { state: 'waiting', waitsFor: ids('stitched') });
  assert.deepEqual(await next('stitched-grid-0.2'), { state: 'waiting', waitsFor: ids('anchor-S') });
  assert.deepEqual(await next('anchor-Ti'), {
    state: 'waiting',
    waitsFor: ids('anchor-Ti-grid-0.1', 'anchor-Ti-grid-0.2'),
  });
  assert.deepEqual(engine.ran, []);

  assert.deepEqual(await next('anchor-Ti-grid-0.2'), { state: 'finished' });
  assert.deepEqual(kindsOf(engine.ran), ['step of stitch 0', 'stitch 0'], 'Ti alone, and nothing is fitted');
  const noted = await readJsonLines<Record<string, unknown>>(path.join(folder, 'anchor-Ti-grid-0.2', 'grid.jsonl'));
  assert.deepEqual(
    noted.map(({ stage, base_rate, accuracy }) => [stage, base_rate, accuracy]),
    [['anchor-Ti', 0.2, 0]],
  );
  empty();
  const count = engine.ran.length;
  assert.deepEqual(await next('anchor-Ti-grid-0.2'), { state: 'finished' });
  assert.equal(engine.ran.length, count, 'it is done');

  // As if other processes had tried the other rates.
  const tried = [
    ['anchor-Ti', 0.1],
    ['anchor-S', 0.1],
    ['anchor-S', 0.2],
    ['stitched', 0.2],
  ].map(([stage, base_rate]) => JSON.stringify({ stage, base_rate, accuracy: 0, seconds: 1 }));
  await writeFile(path.join(folder, 'grid.jsonl'), `${tried.join('\n')}\n`);
  engine.ran.length = 0;
  assert.deepEqual(await next('anchor-Ti'), { state: 'finished' });
  assert.deepEqual(kindsOf(engine.ran), ['step of stitch 0'], 'nothing is deployed yet');
  // Epochs: two rates of one and a run of three of each anchor; two rates of one and a run of two of the stitched.
  const { state, trained, epoch, epochs } = await status();
  assert.deepEqual([state, trained, epoch, epochs], ['running', ['anchor-Ti'], 5, 14]);
  empty();
  assert.deepEqual(await next('anchor-S'), { state: 'finished' });
  const after = await status();
  assert.deepEqual([after.trained, after.epoch], [['anchor-Ti', 'anchor-S'], 10]);

  // The rates of the stitched network need what the anchors have learned.
  const [checkpoint, before] = [path.join(folder, 'checkpoint-anchor-Ti.safetensors'), await status()];
  await rename(checkpoint, `${checkpoint}.away`);
  assert.deepEqual(await next('stitched-grid-0.1'), {
    state: 'failed',
    error: `${checkpoint} is not there: the rates of this grid stitch the anchors that it holds`,
    hint: `Run ${trial}/anchor-Ti first.`,
  });
  await rename(`${checkpoint}.away`, checkpoint);
  await writeFile(path.join(folder, 'status.json'), JSON.stringify(before));
  empty();

  engine.ran.length = 0;
  assert.deepEqual(await next('stitched-grid-0.1'), { state: 'finished' });
  assert.ok(kindsOf(engine.ran).includes('features'), 'stitching layers are fitted');
  empty();
  assert.deepEqual(await next('stitched'), { state: 'finished' });
  assert.deepEqual([(await status()).trained, (await status()).epoch], [['anchor-Ti', 'anchor-S', 'stitched'], 14]);
  empty();
  engine.ran.length = 0;
  assert.deepEqual(await next('evaluation'), { state: 'finished' });
  assert.ok(!kindsOf(engine.ran).some((kind) => kind.startsWith('step')), 'all is trained');
  assert.deepEqual(
    (await readdir(folder)).filter((name) => /lock|checkpoint|grid-/.test(name)),
    [],
  );
  empty();
  const result = JSON.parse(await readFile(path.join(folder, 'result.json'), 'utf8'));
  assert.deepEqual(
    result.stages.map(({ name, epochs }: { name: string; epochs: number }) => [name, epochs]),
    [
      ['anchor-Ti', 3],
      ['anchor-S', 3],
      ['stitched', 2],
    ],
  );
  assert.deepEqual([result.epochs, result.learningRate], [8, 0.1]);
});

test('what another process is at is held; a rate that fails ends what waits for it', async (t) => {
  const { run, folder, experiment } = await trialOf(t, [0.1, 0.2]);
  const { run: next } = await opened(run, experiment);
  const rate = (await claimFolder(path.join(folder, 'anchor-S-grid-0.1'))) as Lock;
  const held = await next('anchor-S-grid-0.1');
  assert.ok(held.state === 'held' && held.heldBy!.pid === process.pid);
  await rate.release();
  const whole = (await claimFolder(folder)) as Lock;
  const trialHeld = await next('');
  assert.ok(trialHeld.state === 'held' && trialHeld.heldBy!.pid === process.pid);
  await whole.release();

  const stopped = await opened(run, experiment, {}, { signal: AbortSignal.abort() });
  await assert.rejects(stopped.run('anchor-S-grid-0.1'), Interrupted);
  await assert.rejects(stopped.patiently('anchor-S'), Interrupted, 'it waits for its rates');
  assert.equal(stopped.told.length, 1);
  assert.equal(
    stopped.told[0],
    `${trial}/anchor-S waits for ${trial}/anchor-Ti, ${trial}/anchor-S-grid-0.1, ${trial}/anchor-S-grid-0.2`,
  );

  const broken = {
    step: () => {
      throw new RequestError('an image is broken', 'Delete it.');
    },
  };
  const failing = await opened(run, experiment, broken);
  const failure = { state: 'failed', error: 'an image is broken' };
  assert.deepEqual(await failing.run('anchor-S-grid-0.1'), { ...failure, hint: 'Delete it.' });
  const result = JSON.parse(await readFile(path.join(folder, 'result.json'), 'utf8'));
  assert.deepEqual([result.status, result.error], ['failed', 'an image is broken']);
  assert.deepEqual(await failing.patiently('anchor-S'), {
    state: 'failed',
    error: 'it waits for what has failed: an image is broken',
  });
  assert.deepEqual(await failing.run(''), { ...failure, hint: 'Delete it.' });

  const bug = await opened(run, experiment, {
    step: () => {
      throw new RangeError('a bug');
    },
  });
  await assert.rejects(bug.run('anchor-S-grid-0.1'), RangeError);
});

test('a whole trial by its name, and only what is asked for is looked at', async (t) => {
  const { run } = await trialOf(t, [0.1]);
  const experiment = gridded(run, [0.1], ['esta', method]);
  const { run: next, engine } = await opened(run, experiment, {}, { trials: new Set([trial]) });
  assert.deepEqual(await next(''), { state: 'finished' });
  assert.ok(!(await readdir(path.join(run.folder, 'run', 'trials', 'mine-esta-seed0'))).includes('result.json'));
  const count = engine.ran.length;
  assert.deepEqual([await next(''), await next('evaluation')], [{ state: 'finished' }, { state: 'finished' }]);
  assert.equal(engine.ran.length, count);
});

test('how an outcome is told', () => {
  const holder = { host: 'elsewhere', pid: 5, since: '2026-01-01T00:00:00Z', token: 'x' };
  const cases: readonly [Outcome, RegExp][] = [
    [{ state: 'finished' }, /^a: finished$/],
    [{ state: 'failed', error: 'no' }, /^a failed: no$/],
    [{ state: 'failed', error: 'no', hint: 'Go.' }, /^a failed: no\nGo\.$/],
    [{ state: 'waiting', waitsFor: ['b', 'c'] }, /^a waits for b, c$/],
    [{ state: 'held', heldBy: undefined }, /^a is being run by another process$/],
    [{ state: 'held', heldBy: holder }, /^a is being run by process 5 on elsewhere/],
  ];
  for (const [outcome, expected] of cases) assert.match(describeOutcome('a', outcome), expected);
});
