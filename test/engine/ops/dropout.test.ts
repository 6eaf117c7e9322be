/** Dropout from keys: the same on every engine, as often as asked for, and computed again by hand in whole numbers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type * as tf from '@tensorflow/tfjs';
import { createOnnxEngine } from '../../../src/engine/onnx/engine.js';
import { dropped, keyPrime } from '../../../src/engine/ops/dropout.js';
import { type Float32NdArray, float32 } from '../../../src/shared/arrays.js';
import { Random } from '../../../src/shared/random.js';
import { drawKeys } from '../../../src/training/language/dropout-keys.js';
import { onEngine, onReference } from '../tensors.js';

const [rows, columns, rate] = [40, 50, 0.3];
const ones = float32([4, 10, columns], new Float32Array(rows * columns).fill(1));
/** One layer, its keys in front of wider ones: a layer with fewer inputs takes the first. */
const keys = drawKeys(Random.of(0, 'keys'), 1, rows, columns + 3);
const layer = (array: Float32NdArray) => float32(array.shape.slice(1), array.data);
const inputs = { x: ones, rows: layer(keys.rows), columns: layer(keys.columns) };
const run = ({ x, ...given }: { x: tf.Tensor; rows: tf.Tensor; columns: tf.Tensor }) => ({
  y: dropped(x, { rate, ...given }),
});

test('what is dropped follows from the keys, on every engine', async (t) => {
  const engine = await createOnnxEngine({ threads: 1 });
  t.after(() => engine.dispose());
  const y = onReference(run, inputs).get('y')!;
  assert.deepEqual((await onEngine(engine, 'dropout', run, inputs)).get('y'), y);
  const lost = Math.round(rate * keyPrime);
  const [r, c] = [keys.rows.data, keys.columns.data];
  for (const [index, value] of y.entries()) {
    const [row, column] = [Math.floor(index / columns), index % columns];
    const hash =
      (BigInt(r[row]!) * BigInt(c[column]!) + BigInt(r[rows + row]!) + BigInt(c[columns + 3 + column]!)) % 4093n;
    assert.ok(Math.abs(value - (hash >= lost ? 4093 / (4093 - lost) : 0)) < 1e-6, `${index}`);
  }
});

test('a rate just below 1 leaves numbers', () => {
  const most = ({ x, ...given }: { x: tf.Tensor; rows: tf.Tensor; columns: tf.Tensor }) => ({
    y: dropped(x, { rate: 0.9999, ...given }),
  });
  const y = onReference(most, inputs).get('y')!;
  assert.ok(y.every((value) => value === 0 || value === keyPrime));
});

test('the asked share is dropped, in rows and columns alike, and sums stay', () => {
  const shares: number[] = [];
  for (let seed = 0; seed < 50; seed++) {
    const drawn = drawKeys(Random.of(seed, 'keys'), 1, rows, columns);
    const y = onReference(run, { x: ones, rows: layer(drawn.rows), columns: layer(drawn.columns) }).get('y')!;
    shares.push(y.filter((value) => value === 0).length / y.length);
    // No row is lost or kept as a whole.
    for (let row = 0; row < rows; row++) {
      const kept = y.slice(row * columns, (row + 1) * columns).filter((value) => value > 0).length;
      assert.ok(kept > 0.3 * columns && kept < columns, `${kept} of a row`);
    }
  }
  const mean = shares.reduce((sum, share) => sum + share) / shares.length;
  // 100,000 numbers, independent in pairs: a deviation of 0.0015.
  assert.ok(Math.abs(mean - rate) < 0.006, `${mean}`);
});
