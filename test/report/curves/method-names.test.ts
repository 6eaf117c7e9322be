/** Which trials of several runs are repetitions of one another, and how the others are named apart. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namedTrials } from '../../../src/report/curves/method-names.js';
import { repetitionsOf } from '../../../src/report/curves/repetition.js';
import { longestOf, trainedLengthsOf } from '../../../src/report/length/lengths.js';
import { trainableView } from '../../../src/report/views/trainable-view.js';
import { trainingProgressOf } from '../../../src/report/views/training-progress.js';
import { unfinishedOf } from '../../../src/report/views/unfinished.js';
import type { TrialRecord } from '../../../src/run-folder/trial-record.js';

interface Given {
  readonly dataset?: string;
  readonly method?: string;
  readonly variant?: string;
  readonly seed?: number;
  readonly accuracy?: number;
  readonly configuration?: string;
  readonly state?: TrialRecord['state'];
}

/** A trial of a run that has trained and deployed one stitch, and tested it after the first of its two epochs. */
function record(run: string, { state = 'finished', seed = 0, accuracy = 50, configuration, ...given }: Given = {}) {
  const identity = { dataset: 'd', method: 'esta', learningRate: 0.1, seed, ...given };
  const heads = accuracy;
  const trainable = { anchors: 0, lowRank: 0, stitchingLayers: 0, stitchBias: 0, heads, total: heads };
  const stage = { name: 'stitched', learningRate: 0.1, epochs: 2, trainSeconds: 4, trainable };
  const stitch = { id: 0, path: [{ anchor: 'S', blocks: [0, 1] as const }], flops: 2e6, params: 1, trainable: 1 };
  const result = {
    ...{ ...identity, version: 1 as const, status: 'finished' as const, trainSeconds: 4, epochs: 2 },
    ...{ stitches: [{ ...stitch, accuracy, bin: 0 }], stages: [stage] },
  };
  const journal = { metrics: [{ epoch: 1, loss: accuracy / 100 }], tests: [{ epoch: 1, accuracy: accuracy - 10 }] };
  const isDone = state === 'finished';
  return {
    ...{ run, name: `d-esta-seed${seed}`, state, identity, configuration },
    ...(isDone && { result, journal }),
  } as unknown as TrialRecord;
}

const namesOf = (...trials: readonly TrialRecord[]) => namedTrials(trials).map(({ method }) => method);

test('seeds of one run, or of runs with the same settings, are repetitions', () => {
  assert.deepEqual(namesOf(record('a'), record('a', { seed: 1 })), ['ESTA', 'ESTA']);
  const [one, other] = [{ configuration: '2:x' }, { seed: 1, configuration: '2:x' }];
  assert.deepEqual(namesOf(record('a', one), record('b', other)), ['ESTA', 'ESTA']);
});

test('seeds that runs of other settings have trained are none; fingerprints of old versions tell nothing', () => {
  const [one, other] = [{ configuration: '2:x' }, { seed: 1, configuration: '2:y' }];
  assert.deepEqual(namesOf(record('a', one), record('b', other)), ['ESTA · a', 'ESTA · b']);
  // Inside a run they are a problem of the run, which says so.
  assert.deepEqual(namesOf(record('a', one), record('a', other)), ['ESTA', 'ESTA']);
  assert.deepEqual(namesOf(record('a', one), record('b', { ...other, configuration: 'y' })), ['ESTA', 'ESTA']);
  // Two experiments on two data sets have nothing to be averaged.
  assert.deepEqual(namesOf(record('a', one), record('b', { ...other, dataset: 'e' })), ['ESTA', 'ESTA']);
});

test('two runs of the same trial are apart in every table', () => {
  const trials = namedTrials([record('a', { accuracy: 40 }), record('b', { accuracy: 60 })]);
  const names = ['ESTA · a', 'ESTA · b'];
  assert.deepEqual(
    repetitionsOf(trials).map(({ method, stitches }) => [method, stitches[0]!.accuracy]),
    [
      [names[0], 40],
      [names[1], 60],
    ],
  );
  assert.deepEqual(
    trainingProgressOf(trials).map(({ method, accuracy }) => [method, accuracy.map(({ value }) => value.mean)]),
    [
      [names[0], [30, 40]],
      [names[1], [50, 60]],
    ],
  );
  assert.deepEqual(
    trainableView(trials)!.rows.map(({ cells }) => [cells['method'], cells['total']]),
    [
      [names[0], 40],
      [names[1], 60],
    ],
  );
});

test('two runs of one study of lengths are apart, too, and each has its own longest training', () => {
  const length = (epochs: number, accuracy: number) => ({ variant: `ESTA for ${epochs} epochs`, accuracy });
  const trials = namedTrials([
    ...[record('a', length(1, 20)), record('a', length(9, 40)), record('a', length(30, 45))],
    ...[record('b', length(1, 30)), record('b', length(9, 50))],
  ]);
  assert.deepEqual(
    trainedLengthsOf(trials).map(({ method, epochs, best }) => [method, epochs, best.mean]),
    [
      ['ESTA · a', 1, 20],
      ['ESTA · a', 9, 40],
      ['ESTA · a', 30, 45],
      ['ESTA · b', 1, 30],
      ['ESTA · b', 9, 50],
    ],
  );
  assert.deepEqual(
    longestOf(trials).map(({ method }) => method),
    ['ESTA for 30 epochs · a', 'ESTA for 9 epochs · b'],
  );
});

test('what one run lacks and the other has is unfinished in that run; a failure is no missing trial', () => {
  const [d, e] = [{ dataset: 'd' }, { dataset: 'e' }];
  const trials = [record('a', d), record('b', d), record('a', e), record('b', { ...e, state: 'failed' })];
  assert.deepEqual(unfinishedOf(namedTrials(trials)), [{ dataset: 'e', method: 'ESTA · b', mark: 'failed' }]);
  // Of one run: another seed has finished.
  const seeds = [record('a'), record('a', { seed: 1, state: 'failed' })];
  assert.deepEqual(unfinishedOf(namedTrials(seeds)), []);
});
