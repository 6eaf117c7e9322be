/** Steps of language models by the engine for NVIDIA cards, on what stands in for one, beside ONNX Runtime on the CPU. */
import assert from 'node:assert/strict';
import test from 'node:test';

import tf = require('@tensorflow/tfjs');

import type { Engine } from '../../../src/engine/engine.js';
import { createNvidiaEngine } from '../../../src/engine/nvidia/engine.js';
import { type Quantised, quantisedLinear } from '../../../src/engine/ops/quantised-linear.js';
import { frozenOnDevice, toDevice, toHost } from '../../../src/engine/transfer.js';
import type { Architecture } from '../../../src/models/architecture.js';
import { llamaArchitecture } from '../../../src/models/llama/architecture.js';
import { keptLeaf, type Storage, treeOfLeaves } from '../../../src/models/llama/load.js';
import { llamaTensors } from '../../../src/models/llama/tensors.js';
import { initialWeights, publishedFrom } from '../../../src/models/weights.js';
import { type Float32NdArray, float32, int32, uint8 } from '../../../src/shared/arrays.js';
import { Random } from '../../../src/shared/random.js';
import { initialTrainables } from '../../../src/stitching/parameters/initial.js';
import { namedTrainables } from '../../../src/stitching/parameters/names.js';
import type { StitchableNetwork } from '../../../src/stitching/space/cost.js';
import { languageStep } from '../../../src/training/language/language-step.js';
import { textStepRunner } from '../../../src/training/language/text-step-runner.js';
import { namedLeaves, treeOf } from '../../../src/training/parameters.js';
import { initialState, mapState, stateOnDevice } from '../../../src/training/training-state.js';
import { architectures, configs, space, vocabulary } from '../../stitching/mini-llamas.js';
import { assertClose, onEngine, onReference, randomArray } from '../tensors.js';
import { enginesBesideCpu } from './stand-in/beside-cpu.js';
import { noTestCard, openTestCard } from './stand-in/stand-in.js';

const skip = noTestCard;
const engines = enginesBesideCpu();

type Arrays = Readonly<Record<string, { readonly data: ArrayLike<number> }>>;

/** Length of the difference of all arrays, as a share of their length. */
function difference(actual: Arrays, expected: Arrays): number {
  assert.deepEqual(Object.keys(actual), Object.keys(expected));
  const [differences, lengths]: [number[], number[]] = [[], []];
  for (const [name, { data }] of Object.entries(expected)) {
    for (const [index, value] of Array.from(data).entries()) {
      lengths.push(value);
      differences.push(actual[name]!.data[index]! - value);
    }
  }
  assert.ok(Math.hypot(...lengths) > 0);
  return Math.hypot(...differences) / Math.hypot(...lengths);
}

/** Of an anchor; in 8 bits as it is read from a file. */
function anchorWeights(architecture: Architecture, index: number, storage: Storage): object {
  const weights = initialWeights(architecture, Random.of(0, architecture.name));
  if (storage === 'float32') return weights;
  const rows = llamaTensors(configs(false)[index]!);
  const published = publishedFrom(weights, rows);
  return treeOfLeaves(
    rows,
    new Map(rows.map((row) => [row, keptLeaf(row, published[row.published]!, storage)])),
    storage,
  );
}

const network: StitchableNetwork = {
  anchors: architectures,
  classes: vocabulary,
  adaptation: { ranks: [2, 2], stitchingLayerRank: 2, stitchBias: true },
};
/** Two micro batches, padded in front; not all tokens are learned. */
const parts = [
  [[-1, 7, 3, 9, 2], [1, 4, 4, 8, 2]],
  [[1, 5, 6, 7, 2], [-1, -1, 1, 10, 2]],
].map((rows) => ({
  ids: int32([2, 5], Int32Array.from(rows.flat())),
  labels: int32([2, 5], Int32Array.from(rows.flat(), (id, at) => (id < 0 || at % 5 === 1 ? -100 : id))),
})); // biome-ignore format: a row a text

/** A step of stitch 3 and of its teacher; gradients are the first moments of AdamW, times 10. */
async function stepOn(engine: Engine, storage: Storage) {
  const random = Random.of(0, 'layers');
  const frozen = frozenOnDevice(engine, {
    anchors: architectures.map((architecture, index) => anchorWeights(architecture, index, storage)),
    layers: space.stitchingLayers.map(() => ({
      weight: randomArray(random, [8, 12]),
      bias: randomArray(random, [12]),
    })),
  });
  const start = namedTrainables(initialTrainables(space, network, 0)) as Record<string, Float32NdArray>;
  // B is 0 at the start, where half of the gradients vanish.
  for (const { data } of Object.values(start)) for (const at of data.keys()) data[at]! += 0.1 * random.normal();
  const state = stateOnDevice(engine, initialState(start));
  const options = {
    ...{ weightDecay: 0.1, saliency: true, dropout: 0.3, clipNorm: 0.01 },
    distillation: { temperature: 2, weight: 1 },
  };
  const run = textStepRunner(
    engine,
    { space, network, frozen: frozen as never, teacher: space.stitches[1]! },
    state,
    options,
  );
  const measures = await run(3, parts, 0.03, Random.of(0, 'dropout'));
  return {
    measures,
    moments: await toHost(engine, state.optimizer.expAvg),
    parameters: await toHost(engine, state.parameters),
  };
}

for (const [storage, precision, tolerance] of [
  ['float32', 'float32', 1e-5],
  // Products of 16 bits: 2^-9 in two dozen of them.
  ['8bit', 'mixed', 2e-2],
] as const) {
  test(`a step of stitched language models, frozen in ${storage}, products in ${precision}`, { skip }, async () => {
    const engine =
      precision === 'float32' ? engines.nvidia : await createNvidiaEngine({ card: await openTestCard(), precision });
    const [actual, expected] = [await stepOn(engine, storage), await stepOn(engines.cpu, storage)];
    for (const [name, value] of Object.entries(expected.measures)) {
      const given = actual.measures[name as keyof typeof actual.measures]!;
      assert.ok(Math.abs(given / value - 1) < tolerance, `${name}: ${given} instead of ${value}`);
    }
    const off = difference(actual.moments, expected.moments);
    assert.ok(off < tolerance, `gradients are off by ${off}`);
    if (precision === 'float32') assert.ok(difference(actual.parameters, expected.parameters) < 1e-4);
    else {
      assert.ok(off > 1e-4, 'products are of 16 bits');
      await engine.dispose();
    }
  });
}

test('a step that moves all weights, embedding and head included', { skip }, async () => {
  const architecture = llamaArchitecture('mini', configs(true)[1]!, 5);
  const stepped = async (engine: Engine) => {
    const weights = initialWeights(architecture, Random.of(0, 'all'));
    const state = mapState(initialState(namedLeaves(weights)), (leaves) => treeOf(weights, leaves));
    const given = toDevice(engine, { state, ...parts[0]!, rate: float32([], Float32Array.of(0.01)) });
    const result = await engine.compile('all', languageStep(architecture, { weightDecay: 0.1 }))(given as never);
    const moments = namedLeaves<Float32NdArray>(await toHost(engine, result.state.optimizer.expAvg));
    return { loss: (await engine.get(result.loss)).data[0]!, moments };
  };
  const [actual, expected] = [await stepped(engines.nvidia), await stepped(engines.cpu)];
  assert.ok(Math.abs(actual.loss / expected.loss - 1) < 1e-5);
  const off = difference(actual.moments, expected.moments);
  assert.ok(off < 1e-5, `gradients are off by ${off}`);
});

test('a matrix of 8 bits in parts, for many rows, and its gradient', { skip }, async () => {
  const random = Random.of(0, 'codes');
  const part = (outputs: number) => ({
    codes: uint8(
      [outputs, 16],
      Uint8Array.from({ length: 16 * outputs }, () => random.integer(256)),
    ),
    scale: randomArray(random, [outputs]),
  });
  const inputs = { x: randomArray(random, [2, 5, 16]), parts: [part(8), part(5)] };
  interface Inputs {
    readonly x: tf.Tensor;
    readonly parts: readonly Quantised<tf.Tensor>[];
  }
  const both = ({ x, parts }: Inputs) => ({
    y: quantisedLinear(x, parts),
    dx: tf.grad((moving) => quantisedLinear(moving, parts).square().sum())(x),
  });
  const actual = await onEngine(engines.nvidia, 'parts', both, inputs);
  assertClose(actual, onReference(both, inputs), 1e-5);
  assertClose(await onEngine(engines.cpu, 'parts', both, inputs), onReference(both, inputs), 1e-5);
  const mixed = await createNvidiaEngine({ card: await openTestCard(), precision: 'mixed' });
  // Factors and results of 8 bits of mantissa.
  assertClose(await onEngine(mixed, 'parts', both, inputs), onReference(both, inputs), 1e-2);
  await mixed.dispose();
});
