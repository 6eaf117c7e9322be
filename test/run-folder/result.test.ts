import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTrialResult, parseTrialStatus, secondsOf } from '../../src/run-folder/result.js';
import { RequestError } from '../../src/shared/errors.js';
import { stitchResults } from './run-folder-fixture.js';

const valid = {
  version: 1,
  dataset: 'stanford-cars',
  method: 'esta',
  seed: 0,
  learningRate: 1e-3,
  status: 'finished',
  stitches: stitchResults(),
  trainSeconds: 12,
  epochs: 100,
};

test('a result is read as it was written', () => {
  assert.deepEqual(parseTrialResult(valid, 'result.json'), valid);
});

test('every problem is named with its path and the value received', () => {
  const stitches = [{ ...valid.stitches[0], accuracy: 170 }];
  assert.throws(
    () => parseTrialResult({ ...valid, seed: 'first', stitches }, 'trials/a/result.json'),
    (error) => {
      assert.ok(error instanceof RequestError);
      assert.match(error.message, /^trials\/a\/result\.json is not valid:\n/);
      assert.match(error.message, /seed: .*received "first"/);
      assert.match(error.message, /stitches\.0\.accuracy: .*received 170/);
      assert.match(error.hint!, /^Delete the trial folder, trials\/a, and run the experiment again: /);
      return true;
    },
  );
});

test('what was received is said once; what is missing was not received', () => {
  const { epochs: _, ...rest } = valid;
  const changed = { ...rest, seed: null, dataset: 5, status: null, trainSeconds: -1 };
  const lines = [
    'dataset: expected text, received 5',
    'seed: expected a number, received null',
    'status: expected one of finished, failed, received null',
    'trainSeconds: expected a number >= 0, received -1',
    'epochs: is missing; expected a number',
  ];
  assert.throws(() => parseTrialResult(changed, 'result.json'), {
    message: ['result.json is not valid:', ...lines.map((line) => `  ${line}`)].join('\n'),
  });
});

test('another version is said to be one, whatever else differs', () => {
  assert.throws(() => parseTrialResult({ version: 2, results: {} }, 'result.json'), {
    name: 'RequestError',
    message: 'result.json was written by another version of esta (format 2, this one reads 1)',
  });
});

test('a document that is no object is refused', () => {
  assert.throws(() => parseTrialStatus(null, 'status.json'), {
    message: /status\.json is not valid:\n {2}the document: expected a mapping \(name: value\), received null$/,
    hint: 'Delete the file and run the experiment again: the trial goes on.',
  });
});

test('a trial takes the seconds of its final runs and of the grids of all its stages', () => {
  const trainable = { anchors: 0, lowRank: 0, stitchingLayers: 0, stitchBias: 0, heads: 0, total: 0 };
  const stage = { name: 'stitched', learningRate: 0.1, epochs: 1, trainSeconds: 5, trainable };
  // 12 is of the final runs of all stages together.
  const stages = [{ ...stage, gridSeconds: 20 }, { ...stage, gridSeconds: 3 }, stage];
  assert.equal(secondsOf({ trainSeconds: 12, stages }), 12 + 20 + 3);
  assert.equal(secondsOf({ trainSeconds: 12 }), 12);
});
