/** The numbers that figures draw, without drawing them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anglesFigure } from '../../../src/report/figures/angles-figure.js';
import { trainableAccuracyFigure } from '../../../src/report/figures/trainable-accuracy-figure.js';
import { trainingFigure } from '../../../src/report/figures/training-figure.js';

type Row = Readonly<Record<string, unknown>>;
const valuesOf = (spec: object) => (spec as { data: { values: readonly Row[] } }).data.values;

const measured = { method: 'esta', anchors: ['Ti', 'S'] as [string, string], stitches: 3, epoch: 1, batches: 1 };
const anglesOf = (...angles: number[]) =>
  anglesFigure({ ...measured, datasets: [{ name: 'cars', domain: 'downstream', angles }] });

test('angles: shares of all pairs in bars of 5 degrees, 180 degrees in the last', () => {
  const bars = valuesOf(anglesOf(0, 4.99, 5, 90, 179, 180, 180, 93));
  assert.equal(bars.length, 36);
  assert.deepEqual(
    bars.filter(({ share }) => share !== 0).map(({ from, to, share }) => [from, to, share]),
    [
      [0, 5, 25],
      [5, 10, 12.5],
      [90, 95, 25],
      [175, 180, 37.5],
    ],
  );
  const rangeOf = (spec: object) => /"domain":(\[[\d,]+\])/.exec(JSON.stringify(spec))?.[1];
  assert.equal(rangeOf(anglesOf(62, 71)), '[60,95]', 'the right angle is always seen');
  assert.equal(rangeOf(anglesOf(62, 121)), '[60,125]');
});

const accuracy = { mean: 70, deviation: 1.5, count: 3 };
const point = (method: string, trainable: number, changes = {}) => ({
  ...{ dataset: 'cars', method, trainable, accuracy, isMean: false, ...changes },
});
const axisOf = (spec: object) => (/"type":"log"/.test(JSON.stringify(spec)) ? 'log' : 'linear');

test('trainable parameters in millions, a deviation to both sides; more than twenty times as many on a log axis', () => {
  const spec = trainableAccuracyFigure([
    point('ESTA', 1_460_000),
    point('LoRA', 250_000, { accuracy: { mean: 68, deviation: undefined, count: 1 } }),
  ]);
  assert.deepEqual(
    valuesOf(spec).map(({ trainable, accuracy, low, high }) => [trainable, accuracy, low, high]),
    [
      [1.46, 70, 68.5, 71.5],
      [0.25, 68, 68, 68],
    ],
  );
  assert.equal(axisOf(spec), 'linear');
  assert.equal(axisOf(trainableAccuracyFigure([point('a', 1e6), point('b', 20e6)])), 'linear');
  assert.equal(axisOf(trainableAccuracyFigure([point('a', 1e6), point('b', 21e6)])), 'log');
  // Where there is a mean over data sets, it alone is drawn.
  const means = trainableAccuracyFigure([point('a', 1e6), point('a', 3e6, { dataset: 'mean', isMean: true })]);
  assert.deepEqual(
    valuesOf(means).map(({ trainable }) => trainable),
    [3],
  );
});

test('training: losses and accuracies of the last data set, a deviation to both sides', () => {
  const progressOf = (dataset: string, loss: number) => ({
    ...{ dataset, method: 'ESTA' },
    loss: [{ epoch: 1, value: { mean: loss, deviation: 0.25, count: 2 } }],
    accuracy: [{ epoch: 2, value: { mean: 60, deviation: undefined, count: 1 } }],
  });
  const spec = trainingFigure([progressOf('cars', 3), progressOf('mean of 2 data sets', 2)]);
  const [losses, accuracies] = (spec as unknown as { hconcat: readonly object[] }).hconcat.map(valuesOf);
  assert.deepEqual(losses, [{ method: 'ESTA', epoch: 1, value: 2, low: 1.75, high: 2.25 }]);
  assert.deepEqual(accuracies, [{ method: 'ESTA', epoch: 2, value: 60, low: 60, high: 60 }]);
});
