/** Frozen weights that programs hold themselves, tried on the CPU, where they are inputs by default. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import tf = require('@tensorflow/tfjs');

import type { Engine, Value } from '../../../src/engine/engine.js';
import { createOnnxEngine } from '../../../src/engine/onnx/engine.js';
import { linear } from '../../../src/engine/ops/linear.js';
import { frozenOnDevice } from '../../../src/engine/transfer.js';
import { Random } from '../../../src/shared/random.js';
import { randomArray } from '../tensors.js';

const random = Random.of(0, 'constants');
const weights = (count: number) => Array.from({ length: count }, () => randomArray(random, [16, 16]));
const input = randomArray(random, [4, 16]);

interface Inputs {
  readonly frozen: readonly tf.Tensor[];
  readonly x: tf.Tensor;
}

/** Loss and gradient of layers whose weights do not move. */
const step = ({ frozen, x }: Inputs) => {
  const loss = (start: tf.Tensor) =>
    frozen
      .reduce((y, weight) => tf.tanh(linear(y as tf.Tensor2D, weight as tf.Tensor2D)), start)
      .square()
      .sum() as tf.Scalar;
  return tf.valueAndGrad(loss)(x);
};

function assertClose(actual: readonly number[], expected: readonly number[]): void {
  const largest = Math.max(...expected.map(Math.abs));
  for (const [index, number] of expected.entries()) assert.ok(Math.abs(actual[index]! - number) <= 1e-6 * largest);
}

async function run(engine: Engine, frozen: ReturnType<typeof weights>) {
  const held = frozenOnDevice(engine, frozen);
  const compiled = engine.compile('step', step);
  const numbers = async (value: Value) => [...(await engine.get(value)).data];
  const results = await compiled({ frozen: held as never, x: engine.put(input) });
  return { held, compiled, outputs: [...(await numbers(results.value)), ...(await numbers(results.grad))] };
}

test('a program that holds the weights gives the numbers of one that is given them', async (t) => {
  const [given, holding] = [
    await createOnnxEngine({ threads: 1 }),
    await createOnnxEngine({ threads: 1, holdsConstants: true }),
  ];
  t.after(async () => Promise.all([given.dispose(), holding.dispose()]));
  const layers = weights(3);
  const [expected, actual] = [await run(given, layers), await run(holding, layers)];
  assertClose(actual.outputs, expected.outputs);
  assert.deepEqual(given.programMemory?.(), { programs: 1, constants: 0 });
  assert.deepEqual(holding.programMemory?.(), { programs: 1, constants: 3 * 16 * 16 * 4 });

  // Other weights are another program, though their shapes and the key are the same.
  const others = weights(3);
  assertClose((await run(holding, others)).outputs, (await run(given, others)).outputs);
  assert.equal(holding.programMemory?.().programs, 2);
  holding.free(actual.held);
  assert.equal(holding.programMemory?.().programs, 1, 'a program goes with the weights that it holds');
});

test('programs that hold too much are compiled again when they are needed', async (t) => {
  const engine = await createOnnxEngine({ threads: 1, holdsConstants: true, programBytes: 1 });
  t.after(() => engine.dispose());
  const layers = weights(2);
  const { held, compiled, outputs } = await run(engine, layers);
  await run(engine, weights(2));
  assert.equal(engine.programMemory?.().programs, 1);
  const again = await compiled({ frozen: held as never, x: engine.put(input) });
  assert.equal((await engine.get(again.value)).data[0], outputs[0]);
});
