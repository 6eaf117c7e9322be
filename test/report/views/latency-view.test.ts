import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderText } from '../../../src/report/render/render-text.js';
import { flopsVerdict, latencyView, measuredCurvesOf } from '../../../src/report/views/latency-view.js';
import { machine, name, result } from '../../run-folder/measured/measured-fixture.js';

const run = (...machines: ReturnType<typeof machine>[]) => ({ machines, trials: [{ name, result }] });

test('each stitch beside what it takes; the front is marked, and where FLOPs mislead is said', () => {
  const table = latencyView(measuredCurvesOf([run(machine('laptop'))]))!;
  const cells = table.rows.map(({ cells }) => [cells['stitch'], cells['median'], cells['throughput'], cells['front']]);
  assert.deepEqual(cells, [
    [3, 2, 8000 / 12, '*'],
    [5, 6, 8000 / 36, '*'], // the most accurate one
    [7, 4, 8000 / 24, '*'],
  ]);
  // Files of 4 bytes for each of 200, 410 and 900 thousand parameters and 50 KB; memory was not measured.
  const shown = table.rows.map(({ cells }) => [cells['flops'], cells['size'], cells['p90'], cells['memory']]);
  const none = { mark: 'none' };
  assert.deepEqual(shown, [
    [20, 0.85, 2.2, none],
    [40, 1.69, 6.3, none],
    [90, 3.65, 4.4, none],
  ]);
  const text = renderText(table);
  assert.match(
    text,
    /laptop: onnxruntime.*; FLOPs mislead in 1 of 3 pairs, beyond the noise of the measurement: stitch 5 has 44 % of the FLOPs of stitch 7/,
  );
  assert.match(text, /takes 1\.50 times as long/);
  assert.doesNotMatch(text, /other programs/);
});

test('a stitch that is slower and less accurate is not on the front', () => {
  const [curve] = measuredCurvesOf([run(machine('laptop', { 3: [2, 2.1], 5: [3, 3.1], 7: [9, 9.2] }))]);
  assert.deepEqual(
    curve!.points.map(({ onFront }) => onFront),
    [true, true, false],
  );
  assert.equal(flopsVerdict(curve!), 'FLOPs order these stitches as milliseconds do');
});

test('medians that are reversed within the noise are counted, and mislead nobody', () => {
  const [curve] = measuredCurvesOf([run(machine('laptop', { 3: [2, 2.1], 5: [5, 5.2], 7: [4.9, 5.4] }))]);
  assert.equal(
    flopsVerdict(curve!),
    'FLOPs order these stitches as milliseconds do, beyond the noise of the measurement: ' +
      'within it, medians of 1 of 3 pairs are the other way round',
  );
});

test('a stitch that is not deployed has a time and no accuracy, and is not on the front', () => {
  const measured = machine('laptop');
  const stranger = { ...measured.trials[0]!.stitches[0]!, id: 40, flops: 30e6 };
  const trials = [{ ...measured.trials[0]!, stitches: [...measured.trials[0]!.stitches, stranger] }];
  const [curve] = measuredCurvesOf([run({ ...measured, trials })]);
  const point = curve!.points.find((point) => point.measured.id === 40)!;
  assert.deepEqual([point.stitch, point.onFront], [undefined, false]);
});

test('memory is shown in millions of bytes', () => {
  const measured = machine('laptop');
  const [trial] = measured.trials;
  const stitches = trial!.stitches.map((stitch) => ({ ...stitch, peak_memory_bytes: 12_500_000 }));
  const table = latencyView(measuredCurvesOf([run({ ...measured, trials: [{ ...trial!, stitches }] })]))!;
  assert.equal(table.rows[0]!.cells['memory'], 12.5);
});

test('a busy machine is pointed out; without measurements there is no table', () => {
  const busy = machine('laptop', { 3: [2, 9], 5: [3, 12], 7: [9, 9.2] });
  assert.match(renderText(latencyView(measuredCurvesOf([run(busy)]))!), /other programs were running/);
  // One wide one of three, and 90th percentiles of less than one and a half medians, are no sign of it.
  for (const quiet of [
    { 3: [2, 9], 5: [3, 3.1], 7: [9, 9.2] },
    { 3: [2, 2.9], 5: [3, 4.4], 7: [9, 13] },
  ] as const) {
    assert.doesNotMatch(renderText(latencyView(measuredCurvesOf([run(machine('laptop', quiet))]))!), /other programs/);
  }
  assert.equal(latencyView(measuredCurvesOf([run()])), undefined);
});
