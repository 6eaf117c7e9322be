/** Gradients for shared weights: whose they are, and that they are the slopes of the loss. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Engine } from '../../src/engine/engine.js';
import { createOnnxEngine } from '../../src/engine/onnx/engine.js';
import { toDevice } from '../../src/engine/transfer.js';
import { type Float32NdArray, float32 } from '../../src/shared/arrays.js';
import { trainablesOf } from '../../src/stitching/parameters/trainables.js';
import type { StitchableNetwork } from '../../src/stitching/space/cost.js';
import { frozenPathOf } from '../../src/stitching/stitchable-network.js';
import { sharedTensorsOf, stitchGradients } from '../../src/training/stitch-gradients.js';
import { stitchStep } from '../../src/training/stitch-step.js';
import { initialState, pick, stateOnDevice } from '../../src/training/training-state.js';
import { architectures, batch, frozenNetwork, networkOf, space, trainables } from './miniature-network.js';

/** Crosses from block 0 of the small anchor to block 1 of the large one. */
const stitch = space.stitches.find(({ path: [front, end] }) => front!.blocks[1] === 1 && end?.blocks[0] === 1)!;

test('shared are the adapted layers of the blocks on the path', () => {
  assert.deepEqual(sharedTensorsOf(stitch, networkOf()), [
    'update/0/0/attention/down',
    'update/0/0/attention/up',
    'update/1/1/attention/down',
    'update/1/1/attention/up',
  ]);
  assert.deepEqual(sharedTensorsOf(stitch, networkOf('full')), [
    'weights/anchors/0/blocks/0/query/weight',
    'weights/anchors/0/blocks/0/key/weight',
    'weights/anchors/0/blocks/0/value/weight',
    'weights/anchors/1/blocks/1/query/weight',
    'weights/anchors/1/blocks/1/key/weight',
    'weights/anchors/1/blocks/1/value/weight',
  ]);
  const own = { ranks: [2, 2], stitchingLayerRank: 2, stitchBias: false, ownLowRank: true };
  assert.deepEqual(sharedTensorsOf(stitch, networkOf(own)), []);
});

const adaptations: Readonly<Record<string, StitchableNetwork['adaptation']>> = {
  'low-rank updates': networkOf().adaptation,
  'all weights': 'full',
};
for (const [what, adaptation] of Object.entries(adaptations)) {
  test(`gradients of ${what} are the slopes of the loss along them`, async () => {
    const engine = await createOnnxEngine({ threads: 1 });
    const names = sharedTensorsOf(stitch, networkOf(adaptation));
    const start = trainables(adaptation);
    const gradients = await gradientsOf(engine, start, names, adaptation);
    for (const name of names) {
      const { shape, data } = start[name]!;
      const gradient = gradients[name]!;
      const length = Math.sqrt(gradient.reduce((sum, value) => sum + value ** 2, 0));
      const difference = 0.01;
      const lossAt = (sign: 1 | -1) => {
        const moved = data.map((value, index) => value + (sign * difference * gradient[index]!) / length);
        return lossOf(engine, { ...start, [name]: float32(shape, moved) }, adaptation);
      };
      // Along the gradient the slope is its length.
      const slope = ((await lossAt(1)) - (await lossAt(-1))) / (2 * difference);
      const error = Math.abs(slope - length) / length;
      assert.ok(error < 0.01, `${name}: slope ${slope}, length ${length}; float32 losses and a curved loss allow 1 %`);
    }
    await engine.dispose();
  });
}

type Start = Readonly<Record<string, Float32NdArray>>;

function inputsOf(engine: Engine, start: Start, adaptation: StitchableNetwork['adaptation']) {
  const { images, labels } = batch();
  return {
    frozen: frozenPathOf(toDevice(engine, frozenNetwork()), [stitch]),
    state: stateOnDevice(engine, initialState(pick(start, Object.keys(trainablesOf(stitch, networkOf(adaptation)))))),
    batch: { images: engine.put(images), labels: engine.put(labels) },
  };
}

async function gradientsOf(
  engine: Engine,
  start: Start,
  names: readonly string[],
  adaptation: StitchableNetwork['adaptation'],
): Promise<Record<string, Float32Array>> {
  const { frozen, state, batch } = inputsOf(engine, start, adaptation);
  const program = engine.compile('gradients', stitchGradients(stitch, names, architectures));
  const values = await program({ frozen, parameters: state.parameters, ...batch });
  assert.deepEqual(Object.keys(values), [...names]);
  const entries = names.map(async (name) => [name, (await engine.get(values[name]!)).data as Float32Array] as const);
  return Object.fromEntries(await Promise.all(entries));
}

/** The first measure of a training step: its loss with the labels. */
async function lossOf(engine: Engine, start: Start, adaptation: StitchableNetwork['adaptation']): Promise<number> {
  const { frozen, state, batch } = inputsOf(engine, start, adaptation);
  const names = Object.keys(state.parameters);
  const step = engine.compile('step', stitchStep(stitch, names, { architectures, weightDecay: 0, saliency: false }));
  const rate = engine.put(float32([], Float32Array.of(0)));
  const result = await step({ frozen, ...state, ...batch, rate });
  return (await engine.get(result.measures)).data[0]!;
}
