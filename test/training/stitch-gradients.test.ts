/** Gradients for shared weights: whose they are, and that they are the slopes of the loss. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Engine } from '../../src/engine/engine.js';
import { createOnnxEngine } from '../../src/engine/onnx/engine.js';
import { toDevice, toHost } from '../../src/engine/transfer.js';
import { type Float32NdArray, float32 } from '../../src/shared/arrays.js';
import { namedTrainables, trainablesOfNames } from '../../src/stitching/parameters/names.js';
import { trainableShapes } from '../../src/stitching/parameters/shapes.js';
import { pickTrainables, type Trainables } from '../../src/stitching/parameters/trainables.js';
import type { StitchableNetwork } from '../../src/stitching/space/cost.js';
import { frozenPathOf } from '../../src/stitching/stitchable-network.js';
import { sharedTrainables, stitchGradients } from '../../src/training/stitch-gradients.js';
import { stitchStep } from '../../src/training/stitch-step.js';
import { initialState, mapState } from '../../src/training/training-state.js';
import { architectures, batch, frozenNetwork, networkOf, space, trainables } from './miniature-network.js';

const sharedNames = (...args: Parameters<typeof sharedTrainables>) =>
  Object.keys(namedTrainables(sharedTrainables(...args)));

/** Crosses from block 0 of the small anchor to block 1 of the large one. */
const stitch = space.stitches.find(({ path: [front, end] }) => front!.blocks[1] === 1 && end?.blocks[0] === 1)!;

test('shared are the adapted layers of the blocks on the path', () => {
  assert.deepEqual(sharedNames(stitch, networkOf()), [
    'update/0/0/attention/down',
    'update/0/0/attention/up',
    'update/1/1/attention/down',
    'update/1/1/attention/up',
  ]);
  assert.deepEqual(sharedNames(stitch, networkOf('full')), [
    'weights/anchors/0/blocks/0/query/weight',
    'weights/anchors/0/blocks/0/key/weight',
    'weights/anchors/0/blocks/0/value/weight',
    'weights/anchors/1/blocks/1/query/weight',
    'weights/anchors/1/blocks/1/key/weight',
    'weights/anchors/1/blocks/1/value/weight',
  ]);
  const own = { ranks: [2, 2], stitchingLayerRank: 2, stitchBias: false, ownLowRank: true };
  assert.deepEqual(sharedNames(stitch, networkOf(own)), []);
});

const adaptations: Readonly<Record<string, StitchableNetwork['adaptation']>> = {
  'low-rank updates': networkOf().adaptation,
  'all weights': 'full',
};
for (const [what, adaptation] of Object.entries(adaptations)) {
  test(`gradients of ${what} are the slopes of the loss along them`, async () => {
    const engine = await createOnnxEngine({ threads: 1 });
    const names = sharedNames(stitch, networkOf(adaptation));
    const start = namedTrainables(trainables(adaptation));
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
  const own = pickTrainables(trainablesOfNames(start), trainableShapes(stitch, networkOf(adaptation)));
  return {
    own,
    frozen: frozenPathOf(toDevice(engine, frozenNetwork()), [stitch]),
    state: mapState(initialState(namedTrainables(own)), (arrays) => trainablesOfNames(toDevice(engine, arrays))),
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
  const shared = sharedTrainables(stitch, networkOf(adaptation));
  const program = engine.compile('gradients', stitchGradients(stitch, shared, architectures));
  const gradients = await program({ frozen, parameters: state.parameters, ...batch });
  const host: Trainables<Float32NdArray> = await toHost(engine, gradients);
  assert.deepEqual(Object.keys(namedTrainables(host)), [...names]);
  return Object.fromEntries(Object.entries(namedTrainables(host)).map(([name, { data }]) => [name, data]));
}

/** The first measure of a training step: its loss with the labels. */
async function lossOf(engine: Engine, start: Start, adaptation: StitchableNetwork['adaptation']): Promise<number> {
  const { own, frozen, state, batch } = inputsOf(engine, start, adaptation);
  const step = engine.compile('step', stitchStep(stitch, own, { architectures, weightDecay: 0, saliency: false }));
  const rate = engine.put(float32([], Float32Array.of(0)));
  const result = await step({ frozen, state, ...batch, rate });
  return (await engine.get(result.measures)).data[0]!;
}
