/** Of a trained network, the best stitch of each bin of milliseconds is deployed. */
import assert from 'node:assert/strict';
import { access } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { findTrial } from '../../../src/experiment/deployed/found-trial.js';
import { type RedeployRequest, redeploy } from '../../../src/experiment/derived/redeploy.js';
import { regretView } from '../../../src/report/views/regret-view.js';
import { fingerprintOf } from '../../../src/run-folder/measured/measurement.js';
import { writeMachine } from '../../../src/run-folder/measured/measurements-folder.js';
import { readRunFolder } from '../../../src/run-folder/run-folder.js';
import { silentProgress } from '../../../src/shared/progress.js';
import { machine } from '../../run-folder/measured/measured-fixture.js';
import { miniature, readLines } from '../miniature.js';

/** Stitch 1 is the largest anchor, and the slowest but for stitches 9 and above; the others take id + 1 milliseconds. */
const millisecondsOf = (id: number) => (id === 1 ? 9.5 : id + 1);

test('bins of milliseconds deploy what they score highest, and the largest anchor', async (t) => {
  const mini = await miniature(t);
  const [shared] = await mini.run(mini.experiment(), 'run');
  const folder = path.join(mini.folder, 'run');
  const measure = async (count: number, more: { readonly processor?: string } = {}) => {
    const ids = Array.from({ length: count }, (_, id) => id);
    const stitches = ids.map((id) => ({ id, flops: 1, latencies: [{ batch: 1, median_ms: millisecondsOf(id) }] }));
    const trials = [{ trial: 'species-esta-seed0', fingerprint: fingerprintOf(shared!), stitches }];
    await writeMachine(folder, { ...machine('phone'), ...more, trials });
  };
  const redeployed = async (out: string, changes: Partial<RedeployRequest> = {}, cacheFolder = mini.cacheFolder) => {
    const runtime = { engine: mini.engine, cacheFolder, progress: silentProgress };
    const { signal } = new AbortController();
    const request = { bins: 3, command: '', out: path.join(mini.folder, out), ...changes };
    return redeploy({ ...runtime, signal }, await findTrial(folder), request);
  };
  await measure(5);
  const unread = path.join(mini.folder, 'unread');
  await assert.rejects(redeployed('few', {}, unread), {
    name: 'RequestError',
    message: 'phone has measured 5 of the 12 stitches of species-esta-seed0',
    hint: /Next: esta measure .* --all --form form\.csv$/,
  });
  await assert.rejects(access(unread), 'refused before images are drawn, or read with notes of their own');
  await measure(5, { processor: 'of a laptop' });
  await assert.rejects(redeployed('few'), {
    hint: /Next: esta measure .* --all --machine phone --threads 2 --batch 1$/,
  });
  await measure(12);

  // From 1 to 9 ms in three bins: ids 0 and 2 (below 3.67 ms), 3 to 5 (below 6.33 ms), 6 to 8.
  const lines = await readLines(path.join(folder, 'trials', 'species-esta-seed0', 'importance.jsonl'));
  const scores = lines.at(-1)!['scores'] as (number | null)[];
  const top = (ids: readonly number[]) =>
    ids.reduce((best, id) => ((scores[id] ?? -1) > (scores[best] ?? -1) ? id : best));
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);
  const expected = [top([0, 2]), top(range(3, 6)), top(range(6, 9)), 1];
  const { result } = await redeployed('on-phone');
  assert.deepEqual(
    result.stitches.map(({ id, bin }) => [id, bin]),
    expected.map((id, bin) => [id, bin === 3 ? undefined : bin]),
  );
  const largest = shared!.stitches.at(-1)!;
  assert.deepEqual(result.stitches.at(-1), largest, 'tested as the run has tested it');
  const written = await findTrial(path.join(mini.folder, 'on-phone'));
  assert.deepEqual(
    written.machines.flatMap(({ trials }) => trials.flatMap(({ stitches }) => stitches.map(({ id }) => id))),
    [...new Set(expected)].sort((a, b) => a - b),
  );

  // By validation all stitches are evaluated, so that a report tells what the scores give away, also by milliseconds.
  await redeployed('by-validation', { by: 'validation' });
  const table = regretView([await readRunFolder(path.join(mini.folder, 'by-validation'))])!;
  assert.deepEqual([...new Set(table.rows.map(({ cells }) => cells['bins']))], ['FLOPs', 'ms on phone']);
});
