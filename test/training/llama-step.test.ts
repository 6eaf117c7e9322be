/** Steps of a stitched LLaMA: the loss of a batch of texts falls, and nothing moves but what the stitch trains. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOnnxEngine } from '../../src/engine/onnx/engine.js';
import { toDevice } from '../../src/engine/transfer.js';
import { initialWeights } from '../../src/models/weights.js';
import { int32 } from '../../src/shared/arrays.js';
import { Random } from '../../src/shared/random.js';
import { initialTrainables } from '../../src/stitching/parameters/initial.js';
import { namedTrainables } from '../../src/stitching/parameters/names.js';
import { trainableShapes } from '../../src/stitching/parameters/shapes.js';
import type { StitchableNetwork } from '../../src/stitching/space/cost.js';
import { stepRunner } from '../../src/training/step-runner.js';
import { initialState, stateOnDevice } from '../../src/training/training-state.js';
import { randomArray } from '../engine/tensors.js';
import { architectures, space, vocabulary } from '../stitching/mini-llamas.js';

const network: StitchableNetwork = {
  anchors: architectures,
  classes: vocabulary,
  adaptation: { ranks: [2, 2], stitchingLayerRank: 2, stitchBias: true },
};
const ids = int32([2, 5], Int32Array.of(1, 7, 3, 9, 2, -1, -1, 1, 5, 2));
const labels = int32([2, 5], Int32Array.of(-100, -100, 3, 9, 2, -100, -100, -100, 5, 2));

test('distilled from the large anchor, a stitch of two LLaMAs learns; its teacher too', async () => {
  const engine = await createOnnxEngine({ threads: 1 });
  const random = Random.of(0, 'layers');
  const frozen = toDevice(engine, {
    anchors: architectures.map((architecture) => initialWeights(architecture, Random.of(0, architecture.name))),
    layers: space.stitchingLayers.map(() => ({
      weight: randomArray(random, [8, 12]),
      bias: randomArray(random, [12]),
    })),
  });
  const before = namedTrainables(initialTrainables(space, network, 0));
  const state = stateOnDevice(engine, initialState(before));
  const teacher = space.stitches[1]!;
  const run = stepRunner(engine, { space, network, frozen, teacher }, state, {
    weightDecay: 0,
    saliency: true,
    distillation: { temperature: 1, weight: 1 },
  });
  const id = 3;
  const measures = [];
  for (let step = 0; step < 12; step++) measures.push(...(await run([id], ids, labels, 0.03)));
  const [first, last] = [measures[0]!, measures.at(-1)!];
  assert.ok(last.teacherLoss! < first.teacherLoss! - 0.02, `${first.teacherLoss} -> ${last.teacherLoss}`);
  assert.ok(last.labelLoss < first.labelLoss - 0.02, `${first.labelLoss} -> ${last.labelLoss}`);
  const trained = [space.stitches[id]!, teacher].flatMap((stitch) =>
    Object.keys(namedTrainables(trainableShapes(stitch, network))),
  );
  const moved: string[] = [];
  for (const [name, value] of Object.entries(state.parameters)) {
    const { data } = await engine.get(value);
    if (data.some((each, index) => each !== before[name]!.data[index])) moved.push(name);
  }
  assert.deepEqual(moved.sort(), [...new Set(trained)].sort());
  await engine.dispose();
});
