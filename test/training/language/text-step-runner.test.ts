/** Steps over micro batches, beside the steps of whole batches and beside sums by hand. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TextBatch } from '../../../src/data/text/batches.js';
import type { Engine } from '../../../src/engine/engine.js';
import { createOnnxEngine } from '../../../src/engine/onnx/engine.js';
import { toDevice, toHost } from '../../../src/engine/transfer.js';
import { initialWeights } from '../../../src/models/weights.js';
import { int32 } from '../../../src/shared/arrays.js';
import { Random } from '../../../src/shared/random.js';
import { initialTrainables } from '../../../src/stitching/parameters/initial.js';
import { namedTrainables } from '../../../src/stitching/parameters/names.js';
import type { StitchableNetwork } from '../../../src/stitching/space/cost.js';
import { textStepRunner } from '../../../src/training/language/text-step-runner.js';
import { type StepMeasures, stepRunner } from '../../../src/training/step-runner.js';
import { initialState, stateOnDevice } from '../../../src/training/training-state.js';
import { randomArray } from '../../engine/tensors.js';
import { architectures, space, vocabulary } from '../../stitching/mini-llamas.js';

const network: StitchableNetwork = {
  anchors: architectures,
  classes: vocabulary,
  adaptation: { ranks: [2, 2], stitchingLayerRank: 2, stitchBias: true },
};
const part = (rows: readonly number[][]): TextBatch => {
  const shape = [rows.length, rows[0]!.length];
  return { ids: int32(shape, Int32Array.from(rows.flat())), labels: int32(shape, Int32Array.from(rows.flat())) };
};
// Rows of equal length, so that the mean over the batch is the mean over its micro batches.
const rows = [
  [1, 7, 3, 9, 2],
  [1, 4, 4, 8, 2],
];
const whole = [part(rows)];
const micro = rows.map((row) => part([row]));
const options = { weightDecay: 0, saliency: true, distillation: { temperature: 1, weight: 1 } };

/** One step of stitch 3, from the same state in the same network. */
async function stepOnce(
  engine: Engine,
  step: (network: Parameters<typeof stepRunner>[1], state: ReturnType<typeof stateOnDevice>) => Promise<StepMeasures>,
) {
  const random = Random.of(0, 'layers');
  const frozen = toDevice(engine, {
    anchors: architectures.map((architecture) => initialWeights(architecture, Random.of(0, architecture.name))),
    layers: space.stitchingLayers.map(() => ({
      weight: randomArray(random, [8, 12]),
      bias: randomArray(random, [12]),
    })),
  });
  const start = namedTrainables(initialTrainables(space, network, 0));
  const state = stateOnDevice(engine, initialState(start));
  const measures = await step({ space, network, frozen, teacher: space.stitches[1]! }, state);
  const moments = await toHost(engine, state.optimizer.expAvg);
  return { measures, parameters: await toHost(engine, state.parameters), moments };
}

test('micro batches of equal length move as one batch does, and measure the same', async (t) => {
  const engine = await createOnnxEngine({ threads: 1 });
  t.after(() => engine.dispose());
  const asImages = await stepOnce(engine, async (network, state) => {
    const run = stepRunner(engine, network, state, options);
    return (await run([3], whole[0]!.ids, whole[0]!.labels, 0.03))[0]!;
  });
  for (const parts of [whole, micro]) {
    const { measures, moments } = await stepOnce(engine, (network, state) =>
      textStepRunner(engine, network, state, options)(3, parts, 0.03, Random.of(0, 'dropout')),
    );
    for (const [name, value] of Object.entries(measures)) {
      const expected = asImages.measures[name as keyof StepMeasures]!;
      assert.ok(Math.abs(value - expected) < 1e-5 * Math.max(1, Math.abs(expected)), `${name}: ${value}, ${expected}`);
    }
    // Moments are gradients x 0.1: parameters hide their size, because AdamW divides by it.
    for (const [name, { data }] of Object.entries(moments)) {
      for (const [index, value] of data.entries()) {
        assert.ok(Math.abs(value - asImages.moments[name]!.data[index]!) < 1e-6, `${name}[${index}]`);
      }
    }
  }
});

test('gradients that are longer than the norm are scaled down to it, others stay', async (t) => {
  const engine = await createOnnxEngine({ threads: 1 });
  t.after(() => engine.dispose());
  const momentsWith = async (clipNorm?: number) => {
    const clip = clipNorm === undefined ? {} : { clipNorm };
    const { moments } = await stepOnce(engine, (network, state) =>
      textStepRunner(engine, network, state, { ...options, ...clip })(3, micro, 0.03, Random.of(0, 'dropout')),
    );
    return Object.values(moments).flatMap(({ data }) => [...data]);
  };
  const lengthOf = (values: readonly number[]) => Math.hypot(...values) / 0.1;
  const free = await momentsWith();
  const length = lengthOf(free);
  const clipped = await momentsWith(length / 4);
  assert.ok(Math.abs(lengthOf(clipped) - length / 4) < 1e-3 * length);
  for (const [index, value] of clipped.entries()) assert.ok(Math.abs(4 * value - free[index]!) < 1e-4 * length);
  assert.deepEqual(await momentsWith(10 * length), free);
});

test('dropout follows from the seed alone, differs from micro batch to micro batch, and reaches stitch and teacher', async (t) => {
  const engine = await createOnnxEngine({ threads: 1 });
  t.after(() => engine.dispose());
  const lossesWith = async (dropout: number, seed: number, parts = whole) => {
    const { measures, moments } = await stepOnce(engine, (network, state) =>
      textStepRunner(engine, network, state, { ...options, dropout })(3, parts, 0.03, Random.of(seed, 'dropout')),
    );
    return { measures, moments: Object.values(moments).map(({ data }) => [...data]) };
  };
  const [none, one, again, other] = [
    await lossesWith(0, 0),
    await lossesWith(0.5, 0),
    await lossesWith(0.5, 0),
    await lossesWith(0.5, 1),
  ];
  assert.deepEqual(again, one);
  assert.notDeepEqual(other.moments, one.moments);
  // B is 0 at the start, so that losses do not see what is dropped; the gradients of B do, of stitch and teacher.
  assert.deepEqual(
    [one.measures.labelLoss, one.measures.teacherLoss],
    [none.measures.labelLoss, none.measures.teacherLoss],
  );
  const row = part([rows[0]!]);
  const [once, twice] = [await lossesWith(0.5, 0, [row]), await lossesWith(0.5, 0, [row, row])];
  assert.notDeepEqual(twice.moments, once.moments, 'the mean of two equal micro batches that lose different inputs');
});
