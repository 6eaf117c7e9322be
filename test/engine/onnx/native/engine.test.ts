/** Whole steps by ONNX Runtime's C API on the CPU: the numbers of onnxruntime-node, and nothing left behind. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Engine } from '../../../../src/engine/engine.js';
import { createOnnxEngine, type OnnxEngineOptions } from '../../../../src/engine/onnx/engine.js';
import { liveTensors } from '../../../../src/engine/onnx/native/values.js';
import { frozenOnDevice } from '../../../../src/engine/transfer.js';
import { initialWeights } from '../../../../src/models/weights.js';
import { type Int32NdArray, int32, type NdArray } from '../../../../src/shared/arrays.js';
import { Random } from '../../../../src/shared/random.js';
import { initialTrainables } from '../../../../src/stitching/parameters/initial.js';
import { namedTrainables } from '../../../../src/stitching/parameters/names.js';
import type { StitchableNetwork } from '../../../../src/stitching/space/cost.js';
import { largestAnchor, type StitchSpace } from '../../../../src/stitching/space/stitch-space.js';
import { stepRunner } from '../../../../src/training/step-runner.js';
import { type DeviceState, initialState, stateOnDevice } from '../../../../src/training/training-state.js';
import * as convNeXts from '../../../stitching/mini-convnexts.js';
import * as llamas from '../../../stitching/mini-llamas.js';
import * as vits from '../../../training/miniature-network.js';
import { randomArray } from '../../tensors.js';

const skip = `${process.platform} ${process.arch}` !== 'linux x64' && 'the library is for linux x64';

interface Setting {
  readonly space: StitchSpace;
  readonly network: StitchableNetwork;
  /** Inputs and outputs of each stitching layer. */
  readonly layers: readonly (readonly [number, number])[];
  /** Of the stitch that learns. */
  readonly id: number;
  readonly images: NdArray;
  readonly labels: Int32NdArray;
}

const random = Random.of(0, 'native');
const adaptation = { ranks: [2, 2, 2], stitchingLayerRank: 2, stitchBias: true };
const lastWidths = convNeXts.convNeXtVariants.map(({ dims }) => dims[2]!);
const settings: Readonly<Record<string, Setting>> = {
  ViT: {
    ...{ space: vits.space, network: vits.networkOf(), layers: vits.space.stitchingLayers.map(() => [8, 12]), id: 4 },
    ...vits.batch(),
  },
  ConvNeXt: {
    space: convNeXts.space,
    network: { anchors: convNeXts.architectures, classes: 3, adaptation },
    layers: convNeXts.space.stitchingLayers.map(({ fromAnchor, toAnchor }) => [
      lastWidths[fromAnchor]!,
      lastWidths[toAnchor]!,
    ]),
    id: convNeXts.space.stitches.findLast((stitch) => stitch.path.length > 1)!.id,
    images: randomArray(random, [2, 32, 32, 3]),
    labels: int32([2], Int32Array.of(0, 2)),
  },
  LLaMA: {
    space: llamas.space,
    network: { anchors: llamas.architectures, classes: llamas.vocabulary, adaptation },
    layers: llamas.space.stitchingLayers.map(() => [8, 12]),
    id: 3,
    images: int32([2, 5], Int32Array.of(1, 7, 3, 9, 2, 0, 0, 1, 5, 2)),
    labels: int32([2, 5], Int32Array.of(-100, -100, 3, 9, 2, -100, -100, -100, 5, 2)),
  },
};

/** Two steps of in-place distillation: what they measured, and all that they trained. */
async function stepsOf(engine: Engine, { space, network, layers, id, images, labels }: Setting) {
  const weights = Random.of(0, 'weights');
  const frozen = frozenOnDevice(engine, {
    anchors: network.anchors.map((architecture) => initialWeights(architecture, weights)),
    layers: layers.map(([from, to]) => ({
      weight: randomArray(weights, [from, to]),
      bias: randomArray(weights, [to]),
    })),
  });
  const state = stateOnDevice(engine, initialState(namedTrainables(initialTrainables(space, network, 0))));
  const teacher = space.stitches[largestAnchor(space)]!;
  const run = stepRunner(engine, { space, network, frozen, teacher }, state, {
    ...{ weightDecay: 1e-2, saliency: true },
    distillation: { temperature: 2, weight: 1 },
  });
  const results: unknown[] = [await run([id], images, labels, 0.01), await run([id], images, labels, 0.01)];
  const held = liveTensors();
  results.push(await run([id], images, labels, 0.01));
  assert.equal(liveTensors(), held, 'a step holds as many tensors as the one before');
  results.push(await valuesOf(engine, state));
  engine.free(frozen);
  engine.free(state);
  assert.equal(liveTensors(), 0);
  return results;
}

async function valuesOf(engine: Engine, { parameters, optimizer }: DeviceState) {
  const values: Record<string, ArrayLike<number>> = {};
  for (const [tree, named] of Object.entries({ parameters, ...optimizer })) {
    for (const [name, value] of Object.entries(named)) values[`${tree}/${name}`] = (await engine.get(value)).data;
  }
  return values;
}

async function withEngine<Result>(options: OnnxEngineOptions, use: (engine: Engine) => Promise<Result>) {
  const engine = await createOnnxEngine({ threads: 1, ...options });
  try {
    return await use(engine);
  } finally {
    await engine.dispose();
  }
}

for (const [family, setting] of Object.entries(settings)) {
  test(`steps of a stitched ${family} are those of onnxruntime-node to the last bit; nothing is left`, {
    skip,
  }, async () => {
    const expected = await withEngine({ backend: 'node' }, (engine) => stepsOf(engine, setting));
    const actual = await withEngine({ backend: 'native' }, (engine) => stepsOf(engine, setting));
    assert.deepEqual(actual, expected);
  });
}
