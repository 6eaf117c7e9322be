/** A whole step of in-place distillation in mixed precision, beside the same in float32. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Engine } from '../../src/engine/engine.js';
import { createOnnxEngine } from '../../src/engine/onnx/engine.js';
import { frozenOnDevice } from '../../src/engine/transfer.js';
import { namedTrainables } from '../../src/stitching/parameters/names.js';
import { stepRunner } from '../../src/training/step-runner.js';
import { initialState, stateOnDevice } from '../../src/training/training-state.js';
import { batch, frozenNetwork, networkOf, pst, space, teacher, trainables } from './miniature-network.js';

/** The first moments after a step are a tenth of the gradients. */
async function stepOn(engine: Engine) {
  const frozen = frozenOnDevice(engine, frozenNetwork());
  const state = stateOnDevice(engine, initialState(namedTrainables(trainables(pst))));
  const network = { space, network: networkOf(pst), frozen, teacher };
  const options = { weightDecay: 0, saliency: true, distillation: { temperature: 2, weight: 1 } };
  const { images, labels } = batch();
  const [measures] = await stepRunner(engine, network, state, options)([4], images, labels, 0.01);
  const moments = Object.entries(state.optimizer.expAvg).map(async ([name, value]) => {
    return [name, (await engine.get(value)).data as Float32Array] as const;
  });
  return { measures: measures!, gradients: new Map(await Promise.all(moments)) };
}

const norm = (numbers: ArrayLike<number>) => Math.hypot(...Array.from(numbers));

test('loss and gradients of a step are those of float32 within the rounding of bfloat16', async (t) => {
  const [wide, narrow] = [
    await createOnnxEngine({ threads: 1 }),
    await createOnnxEngine({ threads: 1, narrowProducts: 'emulated', holdsConstants: true }),
  ];
  t.after(async () => Promise.all([wide.dispose(), narrow.dispose()]));
  const [expected, actual] = [await stepOn(wide), await stepOn(narrow)];
  assert.ok(Math.abs(actual.measures.loss / expected.measures.loss - 1) < 0.01);
  assert.notEqual(actual.measures.loss, expected.measures.loss);
  let [errors, sizes] = [0, 0];
  for (const [name, gradient] of expected.gradients) {
    const difference = gradient.map((number, index) => number - actual.gradients.get(name)![index]!);
    errors = Math.hypot(errors, norm(difference));
    sizes = Math.hypot(sizes, norm(gradient));
  }
  // A number is rounded by 2^-9 at most: a dozen layers there and back, independent of each other.
  assert.ok(errors < 0.02 * sizes, `${errors / sizes}`);
  assert.ok(sizes > 0 && errors > 0);
});
