/** The fit against numpy.linalg.lstsq (fixture: test/fixtures/stitching/make-least-squares.py) and against known layers. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { openMatrixProduct } from '../../../src/engine/onnx/float64/matrix-product.js';
import { openRowMoments } from '../../../src/engine/onnx/float64/row-moments.js';
import { Random } from '../../../src/shared/random.js';
import {
  averageLayers,
  fitTargets,
  type Moments,
  noRows,
  type StitchingLayerFit,
  withRows,
} from '../../../src/stitching/fit/least-squares.js';
import { fixture } from '../../fixture.js';

interface Case {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly x: number[];
  readonly y: number[];
  readonly weight: number[];
  readonly bias: number[];
  readonly relativeError: number;
}
const engine = openRowMoments(1);
const products = await openMatrixProduct(1);
const cases = JSON.parse(readFileSync(fixture('stitching/least-squares.json'), 'utf8')) as Case[];

/** Fits in batches of `batch` rows. */
async function fit(x: Float32Array, from: number, y: Float32Array, to: number, batch = 16): Promise<StitchingLayerFit> {
  let moments = noRows(from, [to]);
  for (let row = 0; row < x.length / from; row += batch) {
    const rows = x.slice(row * from, (row + batch) * from);
    moments = await withRows(engine, moments, rows, [[y.slice(row * to, (row + batch) * to)]]);
  }
  return (await fitTargets(products, moments))[0]!;
}

function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  assert.equal(actual.length, expected.length);
  for (let i = 0; i < expected.length; i++) {
    assert.ok(Math.abs(actual[i]! - expected[i]!) <= tolerance, `entry ${i}: ${actual[i]} for ${expected[i]}`);
  }
}

/** X W + b. */
function predict(x: Float32Array, { weight, bias, from, to }: StitchingLayerFit): number[] {
  return Array.from({ length: (x.length / from) * to }, (_, at) => {
    const row = Math.floor(at / to);
    let sum = bias[at % to]!;
    for (let i = 0; i < from; i++) sum += x[row * from + i]! * weight[i * to + (at % to)]!;
    return sum;
  });
}

test('full rank: weight, bias and error of numpy', async () => {
  const { x, from, y, to, ...expected } = cases.find(({ name }) => name === 'full rank')!;
  const layer = await fit(Float32Array.from(x), from, Float32Array.from(y), to);
  assert.equal(layer.ridge, 0);
  assertClose(layer.weight, expected.weight, 1e-5); // float32 result, entries up to about 10
  assertClose(layer.bias, expected.bias, 1e-5);
  assert.ok(Math.abs(layer.relativeError - expected.relativeError) < 1e-7);
});

test('linearly dependent columns: a small ridge, the predictions and nearly the weights of the pseudo-inverse', async () => {
  const { x, from, y, to, ...expected } = cases.find(({ name }) => name === 'dependent columns')!;
  const layer = await fit(Float32Array.from(x), from, Float32Array.from(y), to);
  // The smallest ridge that is safe: 1e-10 of the mean variance of the columns, or that times a power of ten.
  const rows = x.length / from;
  const mean = (column: number) => x.reduce((sum, value, at) => sum + (at % from === column ? value / rows : 0), 0);
  const means = Array.from({ length: from }, (_, column) => mean(column));
  const trace = x.reduce((sum, value, at) => sum + (value - means[at % from]!) ** 2, 0);
  const steps = Math.log10(layer.ridge / ((1e-10 * trace) / from));
  assert.ok(steps > -1e-6 && Math.abs(steps - Math.round(steps)) < 1e-6, `ridge ${layer.ridge}`);
  const reference = { ...layer, weight: Float32Array.from(expected.weight), bias: Float32Array.from(expected.bias) };
  assertClose(predict(Float32Array.from(x), layer), predict(Float32Array.from(x), reference), 1e-3);
  assert.ok(Math.abs(layer.relativeError - expected.relativeError) < 1e-6);
});

test('a layer is recovered from its own outputs, however the rows are cut into batches', async () => {
  const random = Random.of(1, 'least squares');
  const [rows, from, to] = [300, 17, 9];
  const x = Float32Array.from({ length: rows * from }, () => random.normal());
  const truth: StitchingLayerFit = {
    from,
    to,
    weight: Float32Array.from({ length: from * to }, () => random.normal()),
    bias: Float32Array.from({ length: to }, () => random.normal()),
    relativeError: 0,
    ridge: 0,
  };
  const y = Float32Array.from(predict(x, truth));
  for (const batch of [1, 64, 300]) {
    const layer = await fit(x, from, y, to, batch);
    assertClose(layer.weight, truth.weight, 1e-6);
    assertClose(layer.bias, truth.bias, 1e-6);
    assert.ok(layer.relativeError < 1e-6);
  }
});

test('constant features leave the mean to the bias', async () => {
  const layer = await fit(new Float32Array(8).fill(2), 2, Float32Array.from([1, 2, 3, 6]), 1);
  assert.deepEqual([...layer.weight, ...layer.bias], [0, 0, 3]);
  assert.equal(layer.relativeError, 1);
});

test('targets that never change are met by the bias, without error', async () => {
  const layer = await fit(Float32Array.of(1, 2, 3, 5), 1, new Float32Array(4).fill(2), 1);
  assert.deepEqual([...layer.weight, ...layer.bias, layer.relativeError], [0, 2, 0]);
});

/** The fit of a single pair of blocks. */
const pair = async (...given: Parameters<typeof fit>) => ({ ...(await fit(...given)), pairs: 1 });

test('an average counts a fit as often as it has pairs', () => {
  const layer = (value: number, pairs: number) => {
    const numbers = Float32Array.of(value);
    return { weight: numbers, bias: numbers, relativeError: value, pairs };
  };
  const { weight, bias, relativeError } = averageLayers([layer(1, 1), layer(4, 2)]);
  assert.deepEqual([...weight, ...bias, relativeError], [3, 3, 3]);
});

test('the average of fits that share their input is the fit of the average target', async () => {
  const random = Random.of(2, 'least squares');
  const [rows, from, to] = [50, 5, 3];
  const normal = (length: number) => Float32Array.from({ length }, () => random.normal());
  const [x, a, b] = [normal(rows * from), normal(rows * to), normal(rows * to)];
  const average = averageLayers([await pair(x, from, a, to), await pair(x, from, b, to)]);
  const together = await fit(
    x,
    from,
    a.map((value, index) => (value + b[index]!) / 2),
    to,
  );
  assertClose(average.weight, together.weight, 1e-6);
  assertClose(average.bias, together.bias, 1e-6);
});

test('targets of one input are fitted together, each as if it were alone, to the mean of its arrays', async () => {
  const random = Random.of(3, 'least squares');
  const [rows, from] = [40, 4];
  const normal = (length: number) => Float32Array.from({ length }, () => random.normal());
  const [x, a, b, c] = [normal(rows * from), normal(rows * 3), normal(rows * 3), normal(rows * 2)];
  const moments = await withRows(engine, noRows(from, [3, 2]), x, [[a, b], [c]]);
  const [mean, alone] = await fitTargets(products, moments);
  const expected = averageLayers([await pair(x, from, a, 3), await pair(x, from, b, 3)]);
  assertClose(mean!.weight, expected.weight, 1e-6);
  assertClose(mean!.bias, expected.bias, 1e-6);
  const { weight, bias, relativeError } = await fit(x, from, c, 2);
  assertClose([...alone!.weight, ...alone!.bias, alone!.relativeError], [...weight, ...bias, relativeError], 1e-6);
});

test('rows that do not belong together, and features that are not finite, are refused', async () => {
  const empty: Moments = noRows(2, [1]);
  await assert.rejects(fitTargets(products, empty), { name: 'RangeError', message: /have no rows/ });
  await assert.rejects(withRows(engine, empty, new Float32Array(3), [[new Float32Array(1)]]), {
    name: 'RangeError',
    message: 'inputs: 3 values are not rows of 2',
  });
  await assert.rejects(withRows(engine, empty, new Float32Array(4), [[new Float32Array(3)]]), {
    name: 'RangeError',
    message: 'inputs have 2 rows, targets 3',
  });
  assert.throws(() => averageLayers([]), RangeError);
  await assert.rejects(fit(Float32Array.from([1, Number.NaN]), 1, Float32Array.from([1, 2]), 1), /not finite/);
});
