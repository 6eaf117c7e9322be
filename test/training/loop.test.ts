/** The loop alone, on a sum that is trained in place of a network: what it saves, notes, measures and refuses. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { Batch } from '../../src/data/batches/batches.js';
import type { Engine, Value } from '../../src/engine/engine.js';
import { type Float32NdArray, float32, int32, type NdArray } from '../../src/shared/arrays.js';
import { Interrupted, RequestError, TrialError } from '../../src/shared/errors.js';
import { appendJsonLine, keepJsonLines } from '../../src/shared/files.js';
import { onSavingSteps } from '../../src/shared/interrupt.js';
import { type Progress, silentProgress } from '../../src/shared/progress.js';
import { runTraining, type Step, secondsOfStep, type Training } from '../../src/training/loop.js';
import { temporaryFolder } from '../models/pretrained/fixtures.js';

/** Values that stay on the host. */
const engine = {
  put: (array: NdArray) => ({ shape: array.shape, dtype: 'float32', storage: array }),
  get: async ({ storage }: Value) => storage as NdArray,
  free() {},
} as unknown as Engine;

/** `perEpoch` batches of one image, which is the number of the step. */
function loaderOf(perEpoch: number): Training<unknown>['loader'] {
  return {
    batchesPerEpoch: perEpoch,
    async *batches({ epoch = 0, index = 0, epochs = 1 } = {}) {
      for (let step = epoch * perEpoch + index; step < (epoch + epochs) * perEpoch; step++) {
        yield {
          epoch: Math.floor(step / perEpoch),
          index: step % perEpoch,
          images: float32([1], Float32Array.of(step)),
          labels: int32([1]),
          indices: [0],
        } satisfies Batch;
      }
    },
  };
}

interface Rest {
  readonly seen: readonly number[];
}

/** Adds learning rate x step to the weight; the loss is 10 x step. */
const addingSteps: Training<Rest>['stepOn'] = (state) => async (batch, position, rest) => {
  const weight = ((await engine.get(state.parameters['weight']!)) as Float32NdArray).data[0]!;
  const next = weight + position.learningRate * (position.step + 1);
  state.parameters['weight'] = engine.put(float32([], Float32Array.of(next)));
  return {
    measures: { loss: 10 * position.step, odd: position.step % 2 === 1 ? position.step : undefined },
    next: () => ({ seen: [...rest.seen, (batch.images as Float32NdArray).data[0]!] }),
  };
};

/** Three epochs of four steps, two of them warm-up. */
function training(folder: string, changes: Partial<Training<Rest>> = {}): Training<Rest> {
  const metrics = path.join(folder, 'metrics.jsonl');
  return {
    label: 'sum',
    epochs: 3,
    schedule: { steps: 12, warmupSteps: 2, peakLearningRate: 1 },
    loader: loaderOf(4),
    checkpoint: { file: path.join(folder, 'checkpoint.safetensors'), fingerprint: '{"rate":1}', minutes: 1e9 },
    initialParameters: async () => ({ weight: float32([], Float32Array.of(100)) }),
    initialRest: { seen: [] },
    stepOn: addingSteps,
    remedy: 'Lower it',
    hooks: {
      onStart: (epochsDone) => keepJsonLines<{ epoch: number }>(metrics, ({ epoch }) => epoch <= epochsDone),
      onEpoch: ({ epoch, step, means }) => appendJsonLine(metrics, { epoch, step, ...means }),
    },
    ...changes,
  };
}

const weightOf = async (trained: { parameters: Readonly<Record<string, Value>> }) =>
  (await engine.get(trained.parameters['weight']!)).data[0]!;
const linesOf = async (folder: string) =>
  (await readFile(path.join(folder, 'metrics.jsonl'), 'utf8')).trim().split('\n');

test('learning rates rise for the warm-up and then fall as a cosine; epochs are noted with their means', async (t) => {
  const folder = temporaryFolder(t);
  const rates: number[] = [];
  const stepOn: Training<Rest>['stepOn'] = (state) => {
    const step = addingSteps(state);
    return (batch, position, rest) => {
      rates.push(position.learningRate);
      return step(batch, position, rest);
    };
  };
  const { signal } = new AbortController();
  const { rest } = await runTraining({ engine, progress: silentProgress, signal }, training(folder, { stepOn }));
  const cosine = Array.from({ length: 10 }, (_, step) => (1 + Math.cos((Math.PI * step) / 10)) / 2);
  for (const [step, rate] of [1 / 2, 1, ...cosine].entries()) {
    assert.ok(Math.abs(rates[step]! - rate) < 1e-12, `step ${step}: ${rates[step]}`);
  }
  assert.deepEqual(rest.seen, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  assert.deepEqual(
    (await linesOf(folder)).map((line) => JSON.parse(line)),
    [
      { epoch: 1, step: 4, loss: 15, odd: 2 }, // 0, 10, 20, 30; odd steps 1 and 3
      { epoch: 2, step: 8, loss: 55, odd: 6 },
      { epoch: 3, step: 12, loss: 95, odd: 10 },
    ],
  );
});

test('interrupted after every step and resumed equals never stopped', async (t) => {
  const [whole, stopped] = [temporaryFolder(t), temporaryFolder(t)];
  const { signal } = new AbortController();
  const expected = await runTraining({ engine, progress: silentProgress, signal }, training(whole));
  const aborted = { engine, progress: silentProgress, signal: AbortSignal.abort() };
  for (let step = 1; step < 12; step++) {
    await assert.rejects(runTraining(aborted, training(stopped)), (error) => {
      assert.ok(error instanceof Interrupted);
      return error.message.startsWith(`stopped after step ${step} of 12 of sum`);
    });
  }
  const resumed = await runTraining(aborted, training(stopped));
  assert.equal(await weightOf(resumed), await weightOf(expected));
  assert.deepEqual(resumed.rest, expected.rest);
  assert.deepEqual(await linesOf(stopped), await linesOf(whole));
});

test('the speed shown is that of the steps since the training went on', async (t) => {
  const folder = temporaryFolder(t);
  const stepOn: Training<Rest>['stepOn'] = (state) => {
    const step = addingSteps(state);
    return async (batch, position, rest) => {
      if (position.step === 0) await setTimeout(400);
      return step(batch, position, rest);
    };
  };
  const aborted = { engine, progress: silentProgress, signal: AbortSignal.abort() };
  await assert.rejects(runTraining(aborted, training(folder, { stepOn })), Interrupted);
  const speeds: number[] = [];
  const progress: Progress = {
    ...silentProgress,
    update: (_, fields) => void speeds.push(Number(fields?.['images/s'])),
  };
  await runTraining({ engine, progress, signal: new AbortController().signal }, training(folder, { stepOn }));
  assert.equal(speeds.length, 11);
  assert.ok(speeds.at(-1)! > 12 / 0.4, `${speeds}`); // all 12 take more than 0.4 s
});

test('a step in which the computer slept counts as long as the others', () => {
  assert.equal(secondsOfStep(8000, 0.25), 0.25);
  assert.equal(secondsOfStep(20, 0.25), 20); // a slow disk
  assert.equal(secondsOfStep(900, 100), 900); // large models
  assert.equal(secondsOfStep(300, Number.NaN), 300); // the first: programs are compiled
});

test('a checkpoint is written when more minutes have passed since the last one, and at the end', async (t) => {
  const folder = temporaryFolder(t);
  const { checkpoint } = training(folder);
  const { now } = performance;
  let minutes = 0;
  performance.now = () => 60_000 * minutes;
  t.after(() => {
    performance.now = now;
  });
  const savedAfter: number[] = [];
  const stepOn: Training<Rest>['stepOn'] = (state) => {
    const step = addingSteps(state);
    return async (batch, position, rest) => {
      if (existsSync(checkpoint.file)) savedAfter.push(position.step);
      await rm(checkpoint.file, { force: true });
      minutes++;
      return step(batch, position, rest);
    };
  };
  const runtime = { engine, progress: silentProgress, signal: new AbortController().signal };
  await runTraining(runtime, training(folder, { stepOn, checkpoint: { ...checkpoint, minutes: 3 } }));
  assert.deepEqual(savedAfter, [4, 8]);
  assert.ok(existsSync(checkpoint.file), 'after all 12 steps');
});

test('a kill between the note of an epoch and its checkpoint writes no line twice', async (t) => {
  const [whole, killed] = [temporaryFolder(t), temporaryFolder(t)];
  const runtime = { engine, progress: silentProgress, signal: new AbortController().signal };
  const expected = await runTraining(runtime, training(whole));
  const { hooks } = training(killed);
  const dying = training(killed, {
    checkpoint: { ...training(killed).checkpoint, minutes: 0 }, // after every step
    hooks: {
      ...hooks,
      async onEpoch(summary, trained) {
        await hooks.onEpoch(summary, trained);
        if (summary.epoch === 2) throw new Error('killed');
      },
    },
  });
  await assert.rejects(runTraining(runtime, dying), /killed/);
  assert.equal((await linesOf(killed)).length, 2);
  const resumed = await runTraining(runtime, training(killed));
  assert.deepEqual(await linesOf(killed), await linesOf(whole));
  assert.equal(await weightOf(resumed), await weightOf(expected));
  // The same where the checkpoint is gone altogether.
  await rm(training(killed).checkpoint.file);
  await runTraining(runtime, training(killed));
  assert.deepEqual(await linesOf(killed), await linesOf(whole));
});

test('epochs are measured once they are saved, and once more where a training goes on from one', async (t) => {
  const folder = temporaryFolder(t);
  const runtime = { engine, progress: silentProgress, signal: new AbortController().signal };
  const measuredAt: [number, number][] = [];
  const measuring = (fails: boolean) => {
    const { hooks } = training(folder);
    const measure = async (epoch: number, { rest }: { rest: Rest }) => {
      measuredAt.push([epoch, rest.seen.length]);
      if (fails && epoch === 2) throw new Interrupted('stopped while measuring');
    };
    return training(folder, { hooks: { ...hooks, measured: { epochs: [0, 2], measure } } });
  };
  await assert.rejects(runTraining(runtime, measuring(true)), Interrupted);
  await runTraining(runtime, measuring(false));
  assert.deepEqual(measuredAt, [
    [0, 0],
    [2, 8],
    [2, 8],
  ]);
});

test('a loss that is not finite ends the training, says where, and changes nothing that was saved', async (t) => {
  const folder = temporaryFolder(t);
  const runtime = { engine, progress: silentProgress, signal: new AbortController().signal };
  const stepOn: Training<Rest>['stepOn'] = (state) => {
    const step: Step<Rest> = addingSteps(state);
    return async (batch, position, rest) => {
      const result = await step(batch, position, rest);
      if (position.step !== 5) return result;
      return { measures: { loss: Number.NaN }, subject: 'stitch 7', next: () => assert.fail('no rest of a lost step') };
    };
  };
  await assert.rejects(runTraining(runtime, training(folder, { stepOn })), (error) => {
    assert.ok(error instanceof TrialError);
    // Step 5 is 3 / 10 of the cosine behind the warm-up: (1 + cos 54 degrees) / 2.
    assert.equal(error.message, 'the loss is NaN at step 5 of 12 (stitch 7, learning rate 7.94e-1)');
    assert.equal(error.hint, 'Lower it; the last checkpoint is kept.');
    return true;
  });
});

test('a checkpoint of another training is refused', async (t) => {
  const folder = temporaryFolder(t);
  const aborted = { engine, progress: silentProgress, signal: AbortSignal.abort() };
  await assert.rejects(runTraining(aborted, training(folder)), Interrupted);
  const { checkpoint } = training(folder);
  const other = training(folder, { checkpoint: { ...checkpoint, fingerprint: '{"rate":2}' } });
  await assert.rejects(runTraining(aborted, other), (error) => {
    assert.ok(error instanceof RequestError);
    return /checkpoint\.safetensors was written by a training with other settings:\n {2}rate: there 1, now 2$/.test(
      error.message,
    );
  });
});

test('whoever answers Ctrl-C hears from the first step to the end that everything is saved', async (t) => {
  const folder = temporaryFolder(t);
  const { signal } = new AbortController();
  const told: (boolean | string)[] = [];
  onSavingSteps((saves) => void told.push(saves));
  t.after(() => onSavingSteps(() => {}));
  const initialParameters: Training<Rest>['initialParameters'] = async () => {
    told.push('prepared');
    return training(folder).initialParameters();
  };
  await runTraining({ engine, progress: silentProgress, signal }, training(folder, { initialParameters }));
  assert.deepEqual(told, ['prepared', true, false]);
});
