import assert from 'node:assert/strict';
import { test } from 'node:test';
import { figureSvg } from '../../../src/report/figures/figure.js';
import { latencyFigure } from '../../../src/report/figures/latency-figure.js';
import { measuredCurvesOf } from '../../../src/report/views/latency-view.js';
import { machine, name, result } from '../../run-folder/measured/measured-fixture.js';

interface Values {
  readonly data: { readonly values: readonly Record<string, unknown>[] };
}

test('a front of FLOPs and one of milliseconds; a colour for each machine', async () => {
  const phone = machine('phone', { 3: [8, 9], 5: [30, 31], 7: [50, 51] });
  const curves = measuredCurvesOf([{ machines: [machine('laptop'), phone], trials: [{ name, result }] }]);
  const spec = latencyFigure(curves);
  const rows = (spec as unknown as Values).data.values.map((row) => [
    row['curve'],
    row['mflops'],
    row['ms'],
    row['flopsFront'],
    row['msFront'],
  ]);
  assert.deepEqual(rows, [
    ['laptop', 20, 2, true, true],
    ['laptop', 40, 6, true, true],
    ['laptop', 90, 4, false, true], // more FLOPs than the most accurate one, and faster than it
    ['phone', 20, 8, true, true],
    ['phone', 40, 30, true, true],
    ['phone', 90, 50, false, false],
  ]);
  const svg = await figureSvg(spec);
  for (const text of ['FLOPs (M)', 'Milliseconds of one image, measured', 'laptop', 'phone'])
    assert.ok(svg.includes(text));
});
