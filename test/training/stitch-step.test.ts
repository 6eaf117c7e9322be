/** Steps of stitches: what they move, by what, and that nothing is left behind. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import tf = require('@tensorflow/tfjs');

import { type Engine, isValue, type Value } from '../../src/engine/engine.js';
import { createOnnxEngine } from '../../src/engine/onnx/engine.js';
import { registerDecompositions } from '../../src/engine/ops/decompositions.js';
import { isTensor } from '../../src/engine/tensor.js';
import { toDevice } from '../../src/engine/transfer.js';
import { type Float32NdArray, float32, int32 } from '../../src/shared/arrays.js';
import { mapTree } from '../../src/shared/tree.js';
import { namedTrainables, trainablesOfNames } from '../../src/stitching/parameters/names.js';
import { trainableShapes } from '../../src/stitching/parameters/shapes.js';
import { mapTrainables, pickTrainables, type Trainables } from '../../src/stitching/parameters/trainables.js';
import type { StitchableNetwork } from '../../src/stitching/space/cost.js';
import type { Stitch } from '../../src/stitching/space/stitch.js';
import { type FrozenPath, frozenPathOf, runStitch } from '../../src/stitching/stitchable-network.js';
import { namedLeaves } from '../../src/training/parameters.js';
import { type StepMeasures, stepRunner } from '../../src/training/step-runner.js';
import { saliencyOf, stitchStep, teacherStep } from '../../src/training/stitch-step.js';
import { initialState, mapState, pick, replaceValues, stateOnDevice } from '../../src/training/training-state.js';
import { onReference, toTensor } from '../engine/tensors.js';
import {
  architectures,
  batch,
  frozenNetwork,
  networkOf,
  pst,
  space,
  teacher,
  trainables,
} from './miniature-network.js';

const distillation = { temperature: 2, weight: 1 };
const rate = 0.01;

interface Options {
  readonly adaptation?: StitchableNetwork['adaptation'];
  readonly distils?: boolean;
  readonly steps?: readonly number[];
  /** Stitches of one more step. */
  readonly together?: readonly number[];
  /** Of the distillation loss. */
  readonly weight?: number;
}

/** The state after steps on the given stitches, and what the steps measured. */
async function stepsOn(engine: Engine, options: Options = {}) {
  const { adaptation = pst, distils = true, together, steps = together ? [] : [4], weight = 1 } = options;
  const frozen = toDevice(engine, frozenNetwork());
  const before = namedTrainables(trainables(adaptation));
  const state = stateOnDevice(engine, initialState(before));
  const network = { space, network: networkOf(adaptation), frozen, teacher };
  const run = stepRunner(engine, network, state, {
    weightDecay: 0,
    saliency: true,
    ...(distils && { distillation: { ...distillation, weight } }),
  });
  const { images, labels } = batch();
  const measures: StepMeasures[] = [];
  for (const id of steps) measures.push(...(await run([id], images, labels, rate)));
  if (together) measures.push(...(await run(together, images, labels, rate)));
  const host = async (values: Readonly<Record<string, Value>>) => {
    const entries = Object.entries(values).map(async ([name, value]) => [name, (await engine.get(value)).data]);
    return Object.fromEntries(await Promise.all(entries)) as Record<string, Float32Array>;
  };
  return { before, after: await host(state.parameters), updates: await host(state.optimizer.step), frozen, measures };
}

const moved = ({ before, after }: Awaited<ReturnType<typeof stepsOn>>) =>
  Object.keys(after)
    .filter((name) => after[name]!.some((value, index) => value !== before[name]!.data[index]))
    .sort();

const namesOf = (id: number, adaptation: StitchableNetwork['adaptation'] = pst) =>
  Object.keys(namedTrainables(trainableShapes(space.stitches[id]!, networkOf(adaptation))));

test('a step moves what the stitch trains, with distillation also what its teacher does, and nothing else', async () => {
  const engine = await createOnnxEngine({ threads: 1 });
  const frozenBefore = namedLeaves<Float32NdArray>(frozenNetwork());
  for (const id of [0, 2, 4]) {
    const alone = await stepsOn(engine, { distils: false, steps: [id] });
    assert.deepEqual(moved(alone), namesOf(id).sort());
    const taught = await stepsOn(engine, { steps: [id] });
    assert.deepEqual(moved(taught), [...new Set([...namesOf(id), ...namesOf(teacher.id)])].sort());
    assert.deepEqual([alone.measures[0]!.teacherLoss, typeof taught.measures[0]!.teacherLoss], [undefined, 'number']);
    for (const [name, value] of Object.entries(namedLeaves<Value>(taught.frozen))) {
      assert.deepEqual((await engine.get(value)).data, frozenBefore[name]!.data, `frozen ${name}`);
    }
  }
  const anchor = await stepsOn(engine, { steps: [teacher.id] });
  assert.deepEqual(moved(anchor), namesOf(teacher.id).sort());
  await engine.dispose();
});

test('full fine-tuning moves every weight on the path, SS-LoRA the own updates of the stitch', async () => {
  const engine = await createOnnxEngine({ threads: 1 });
  const full = await stepsOn(engine, { adaptation: 'full', distils: false });
  // The bias of the keys shifts all attention scores of a query alike, so its gradient is zero but for rounding.
  const isKeyBias = (name: string) => name.endsWith('key/bias');
  assert.deepEqual(
    moved(full).filter((name) => !isKeyBias(name)),
    namesOf(4, 'full')
      .filter((name) => !isKeyBias(name))
      .sort(),
  );
  const own = { ranks: [2, 2], stitchingLayerRank: 2, stitchBias: false, ownLowRank: true };
  const specific = await stepsOn(engine, { adaptation: own, distils: false });
  assert.deepEqual(moved(specific), namesOf(4, own).sort());
  assert.ok(moved(specific).every((name) => /^(own\/4|head\/1)\//.test(name)));
  await engine.dispose();
});

test('every tensor counts its own updates', async () => {
  const engine = await createOnnxEngine({ threads: 1 });
  const { updates } = await stepsOn(engine, { distils: false, steps: [0, 4, 4, teacher.id] });
  const count = (name: string) => updates[name]![0];
  assert.deepEqual(
    ['bias/0/0', 'bias/4/0', 'bias/3/0', 'head/0/bias', 'head/1/bias', 'update/0/0/attention/down'].map(count),
    [1, 2, 0, 1, 3, 3],
  );
  await engine.dispose();
});

test('saliency is the mean of |parameter x gradient|', () => {
  tf.setBackend('cpu');
  const parameters = { a: tf.tensor([1, -2, 3]), b: tf.tensor([[0.5]]) };
  const gradients = { a: tf.tensor([0.1, 0.2, -0.3]), b: tf.tensor([[4]]) };
  // (0.1 + 0.4 + 0.9 + 2) / 4
  assert.ok(Math.abs(saliencyOf(parameters, gradients).dataSync()[0]! - 0.85) < 1e-6);
});

test('the saliency of a step is that of the gradient by finite differences', async () => {
  const engine = await createOnnxEngine({ threads: 1 });
  // With biases and the head alone there are few parameters: each is moved a little, both ways.
  const adaptation = { ranks: [0, 0], stitchingLayerRank: 0, stitchBias: true };
  const { measures } = await stepsOn(engine, { adaptation, distils: false });
  const names = namesOf(4, adaptation);
  const start = namedTrainables(trainables(adaptation));
  const lossWith = async (name: string, index: number, change: number) => {
    const data = start[name]!.data.with(index, start[name]!.data[index]! + change);
    return lossOf(engine, { ...start, [name]: float32(start[name]!.shape, data) }, adaptation);
  };
  const difference = 0.02;
  let sum = 0;
  let size = 0;
  for (const name of names) {
    for (const index of start[name]!.data.keys()) {
      const slope = (await lossWith(name, index, difference)) - (await lossWith(name, index, -difference));
      sum += Math.abs((start[name]!.data[index]! * slope) / (2 * difference));
      size++;
    }
  }
  const error = Math.abs(measures[0]!.saliency - sum / size) / (sum / size);
  assert.ok(error < 0.01, `relative difference ${error}; float32 losses and a curved loss allow 1 %`);
  await engine.dispose();
});

/** The loss of stitch 4 with the labels. */
async function lossOf(
  engine: Engine,
  values: Readonly<Record<string, Float32NdArray>>,
  adaptation: StitchableNetwork['adaptation'],
): Promise<number> {
  const frozen = toDevice(engine, frozenNetwork());
  const network = { space, network: networkOf(adaptation), frozen, teacher };
  const state = stateOnDevice(engine, initialState(values));
  const { images, labels } = batch();
  const run = stepRunner(engine, network, state, { weightDecay: 0, saliency: false });
  return (await run([4], images, labels, 0))[0]!.loss;
}

test('distillation gives the teacher no gradient: it learns from the labels alone', async () => {
  const engine = await createOnnxEngine({ threads: 1 });
  // Stitch 0 is the small anchor: it shares nothing with its teacher.
  const taught = await stepsOn(engine, { steps: [0] });
  const alone = await stepsOn(engine, { distils: false, steps: [teacher.id] });
  for (const name of namesOf(teacher.id)) assert.deepEqual(taught.after[name], alone.after[name], name);
  assert.equal(taught.measures[0]!.teacherLoss, alone.measures[0]!.loss);
  await engine.dispose();
});

test('the weight of distillation scales the loss of the stitch and its saliency, not what its teacher learns', async () => {
  const engine = await createOnnxEngine({ threads: 1 });
  const [whole, quarter] = [await stepsOn(engine, { steps: [0] }), await stepsOn(engine, { steps: [0], weight: 0.25 })];
  const [one, other] = [whole.measures[0]!, quarter.measures[0]!];
  assert.ok(Math.abs(other.loss - one.loss / 4) < 1e-6 && one.loss > 0.1);
  assert.ok(Math.abs(other.saliency / one.saliency - 0.25) < 1e-4);
  assert.equal(other.teacherLoss, one.teacherLoss);
  await engine.dispose();
});

test('a taught stitch has the loss weight x T^2 x cross-entropy of both predictions softened by T', async () => {
  const engine = await createOnnxEngine({ threads: 1 });
  const given = { temperature: 2, weight: 0.3 };
  const state = stateOnDevice(engine, initialState(namedTrainables(trainables())));
  const network = { space, network: networkOf(), frozen: toDevice(engine, frozenNetwork()), teacher };
  const run = stepRunner(engine, network, state, { weightDecay: 0, saliency: false, distillation: given });
  const { images, labels } = batch();
  const { loss } = (await run([4], images, labels, rate))[0]!;
  await engine.dispose();
  /** Softened predictions [batch, classes] of a stitch at the start, in double precision. */
  const predictions = (stitch: Stitch) => {
    const own = pickTrainables(trainables(), trainableShapes(stitch, networkOf()));
    interface Given {
      readonly frozen: FrozenPath<tf.Tensor>;
      readonly own: Trainables<tf.Tensor>;
      readonly images: tf.Tensor;
    }
    const logits = ({ frozen, own, images }: Given) => ({
      logits: runStitch(stitch, frozen, own, images, architectures),
    });
    const flat = onReference(logits, { frozen: frozenPathOf(frozenNetwork(), [stitch]), own, images }).get('logits')!;
    return [0, 3, 6, 9].map((start) => {
      const exponentials = flat.slice(start, start + 3).map((value) => Math.exp(value / given.temperature));
      const sum = exponentials.reduce((a, b) => a + b);
      return exponentials.map((value) => value / sum);
    });
  };
  const [taught, teaching] = [predictions(space.stitches[4]!), predictions(teacher)];
  const rows = taught.map((row, image) =>
    row.reduce((sum, value, label) => sum - teaching[image]![label]! * Math.log(value), 0),
  );
  const expected = (0.3 * 2 ** 2 * rows.reduce((a, b) => a + b)) / 4;
  assert.ok(Math.abs(loss - expected) < 1e-5 * expected, `${loss}, expected ${expected}`);
});

test('a dropped patch counts for nothing, neither to the stitch nor to its teacher', async () => {
  const engine = await createOnnxEngine({ threads: 1 });
  const network = { space, network: networkOf(), frozen: toDevice(engine, frozenNetwork()), teacher };
  const { images, labels } = batch();
  /** What a step measures on images of 8 x 8 pixels whose pixel at the place is changed. */
  const measuresOf = async (kept?: readonly number[], changed?: readonly [row: number, column: number]) => {
    const state = stateOnDevice(engine, initialState(namedTrainables(trainables())));
    const run = stepRunner(engine, network, state, { weightDecay: 0, saliency: true, distillation });
    const data = images.data.slice();
    if (changed) for (let image = 0; image < 4; image++) data[((image * 8 + changed[0]) * 8 + changed[1]) * 3]! += 1;
    const tokens = kept && int32([kept.length], Int32Array.from(kept));
    return (await run([4], float32(images.shape, data), labels, rate, tokens))[0]!;
  };
  // Patches of 4 x 4: token 2 is the upper right one, 3 the lower left one.
  const some = await measuresOf([0, 2, 4]);
  assert.deepEqual(await measuresOf([0, 2, 4], [6, 1]), some);
  const other = await measuresOf([0, 2, 4], [1, 6]);
  assert.ok(other.loss !== some.loss && other.teacherLoss !== some.teacherLoss && other.saliency !== some.saliency);
  const [all, whole] = [await measuresOf([0, 1, 2, 3, 4]), await measuresOf()];
  for (const name of ['loss', 'teacherLoss', 'saliency', 'labelLoss'] as const) {
    assert.ok(Math.abs(all[name]! - whole[name]!) < 1e-6 * Math.abs(whole[name]!), name);
    assert.notEqual(some[name], whole[name]);
  }
  await engine.dispose();
});

test('the loss with the labels is measured whatever a stitch learns from', async () => {
  const engine = await createOnnxEngine({ threads: 1 });
  const [taught] = (await stepsOn(engine, { steps: [0] })).measures;
  const [alone] = (await stepsOn(engine, { distils: false, steps: [0] })).measures;
  assert.equal(alone!.labelLoss, alone!.loss);
  assert.ok(Math.abs(taught!.labelLoss - alone!.loss) < 1e-6);
  assert.ok(Math.abs(taught!.labelLoss - taught!.loss) > 1e-3);
  await engine.dispose();
});

test('what a stitch shares with its teacher moves by the sum of both gradients', () => {
  const { images, labels } = batch();
  const values = trainables();
  const stitch = space.stitches[4]!;
  const shapes = trainableShapes(stitch, networkOf());
  const parameters = pickTrainables(values, trainableShapes(teacher, networkOf()));
  const teaching = { frozen: frozenPathOf(frozenNetwork(), [teacher]), parameters, images, labels };
  const taught = onReference(teacherStep(teacher, { architectures }), teaching);
  const output = (path: string, shape: readonly number[]) => float32(shape, Float32Array.from(taught.get(path)!));
  const gradients = mapTrainables(parameters, ({ shape }, path) => output(['gradients', ...path].join('/'), shape));
  const names = [...new Set([...namesOf(stitch.id), ...namesOf(teacher.id)])];
  const state = mapState(initialState(pick(namedTrainables(values), names)), trainablesOfNames);
  /** The gradient that the optimizer saw: its average starts at zero and takes a tenth of it. */
  const seenWith = (teacherGradients: typeof gradients) => {
    const step = stitchStep(stitch, shapes, { architectures, distillation, weightDecay: 0, saliency: false });
    const outputs = onReference(step, {
      ...{ frozen: frozenPathOf(frozenNetwork(), [stitch]), state, images, labels },
      rate: float32([], Float32Array.of(rate)),
      teacher: { logits: output('logits', [4, 3]), loss: output('loss', []), gradients: teacherGradients },
    });
    return (path: string) => outputs.get(`state/optimizer/expAvg/${path}`)!.map((value) => 10 * value);
  };
  const both = seenWith(gradients);
  const stitchAlone = seenWith(mapTrainables(gradients, ({ shape }) => float32(shape)));
  const shared: string[] = [];
  mapTrainables(pickTrainables(gradients, shapes), ({ data }, place) => {
    const path = place.join('/');
    shared.push(path);
    for (const [index, value] of both(path).entries()) {
      const sum = stitchAlone(path)[index]! + data[index]!;
      assert.ok(Math.abs(value - sum) < 1e-5, `${path}[${index}]: ${value}, expected ${sum}`);
    }
    assert.ok(data.some((value) => Math.abs(value) > 1e-4));
  });
  assert.ok(shared.some((path) => path.startsWith('updates/1/')) && shared.includes('heads/1/weight'));
});

test('in a step of several stitches the teacher learns first, then each from what it said before', async () => {
  const engine = await createOnnxEngine({ threads: 1 });
  const options = { architectures, distillation, weightDecay: 0, saliency: true };
  const { images, labels } = batch();
  const inputs = { images: engine.put(images), labels: engine.put(labels) };
  const stateOf = () => stateOnDevice(engine, initialState(namedTrainables(trainables())));
  const frozen = toDevice(engine, frozenNetwork());
  const network = { space, network: networkOf(), frozen, teacher };
  // Stitch 0 shares nothing with the teacher, 2 and 4 share its blocks and its head, and what 2 moves 4 finds moved.
  const ids = [2, 0, 4];

  const expected = stateOf();
  const said = await engine.compile(
    'said',
    teacherStep(teacher, options),
  )({
    ...{ frozen: frozenPathOf(frozen, [teacher]), ...inputs },
    parameters: trainablesOfNames(pick(expected.parameters, namesOf(teacher.id))),
  });
  const { logits, loss } = said;
  const alone = stepRunner(engine, network, expected, { weightDecay: 0, saliency: true });
  const [anchor] = await alone([teacher.id], images, labels, rate);
  const expectedMeasures: number[][] = [];
  for (const id of ids) {
    const stitch = space.stitches[id]!;
    const step = stitchStep(stitch, trainableShapes(stitch, networkOf()), options);
    const result = await engine.compile(
      `single step ${id}`,
      step,
    )({
      ...{ frozen: frozenPathOf(frozen, [stitch]), ...inputs, teacher: { logits, loss } },
      state: mapState(expected, (values) => trainablesOfNames(pick(values, namesOf(id)))),
      rate: engine.put(float32([], Float32Array.of(rate))),
    });
    replaceValues(expected, mapState(result.state, namedTrainables));
    expectedMeasures.push([...(await engine.get(result.measures)).data]);
  }

  const actual = stateOf();
  const run = stepRunner(engine, network, actual, { weightDecay: 0, saliency: true, distillation });
  const measures = await run(ids, images, labels, rate);
  assert.deepEqual(
    measures.map((measured) => [measured.loss, measured.saliency, measured.teacherLoss, measured.labelLoss]),
    expectedMeasures,
  );
  assert.ok(measures.every(({ teacherLoss }) => teacherLoss === anchor!.loss));
  const start = namedTrainables(trainables());
  for (const [part, values] of Object.entries({ ...actual.optimizer, parameters: actual.parameters })) {
    const wanted = part === 'parameters' ? expected.parameters : expected.optimizer[part as 'step'];
    for (const [name, value] of Object.entries(values)) {
      assert.deepEqual((await engine.get(value)).data, (await engine.get(wanted[name]!)).data, `${part} ${name}`);
    }
  }
  // The head of the teacher moves thrice: by itself, by 2 and by 4; what nobody trains stays.
  const updates = async (name: string) => (await engine.get(actual.optimizer.step[name]!)).data[0];
  assert.deepEqual(await Promise.all(['head/1/bias', 'head/0/bias', 'bias/3/0'].map(updates)), [3, 1, 0]);
  assert.deepEqual((await engine.get(actual.parameters['bias/3/0']!)).data, start['bias/3/0']!.data);
  await engine.dispose();
});

test('without distillation several stitches learn from the labels, one after another', async () => {
  const engine = await createOnnxEngine({ threads: 1 });
  const together = await stepsOn(engine, { distils: false, together: [2, 4] });
  const apart = await stepsOn(engine, { distils: false, steps: [2, 4] });
  assert.deepEqual(together.after, apart.after);
  assert.deepEqual(together.measures, apart.measures);
  await engine.dispose();
});

test('steps leave no tensors behind, traced or eager', async () => {
  const engine = await createOnnxEngine({ threads: 1 });
  await stepsOn(engine, { steps: [4, 2] });
  const traced = tf.memory().numTensors;
  await stepsOn(engine, { steps: [4, 2, 4, 2, 4, 3], together: [4, 2] });
  assert.equal(tf.memory().numTensors, traced);
  await engine.dispose();

  const eager = eagerEngine();
  const before = tf.memory().numTensors;
  const { frozen } = await stepsOn(eager, { steps: [4] });
  const afterOne = tf.memory().numTensors;
  tf.dispose(Object.values(namedLeaves<Value>(frozen)).map(({ storage }) => storage as tf.Tensor));
  await stepsOn(eager, { steps: [4, 4, 2, 1], together: [2, 4, 0] });
  const state = Object.keys(namedTrainables(trainables())).length;
  assert.equal(afterOne - before, Object.keys(namedLeaves(frozenNetwork())).length + 4 * state);
  assert.equal(tf.memory().numTensors - before, afterOne - before + 4 * state);
});

/** As the eager engine of TensorFlow, on the CPU backend that TensorFlow.js always has. */
function eagerEngine(): Engine {
  const toValue = (tensor: tf.Tensor): Value => ({ shape: tensor.shape, dtype: 'float32', storage: tensor });
  tf.setBackend('cpu');
  registerDecompositions('cpu');
  return {
    name: 'tensorflow',
    device: 'cpu',
    precision: 'float32',
    put: (array) => toValue(toTensor(array)),
    get: async ({ storage, shape }) => float32(shape, (storage as tf.Tensor).dataSync() as Float32Array),
    free: (tree) => void mapTree(tree, isValue, ({ storage }) => (storage as tf.Tensor).dispose()),
    compile: (_, fn) => async (inputs) => {
      const tensors = mapTree(inputs, isValue, ({ storage }) => storage as tf.Tensor);
      const results = tf.tidy(() => fn(tensors as never) as tf.TensorContainer);
      return mapTree(results, isTensor, toValue) as never;
    },
    dispose: async () => {},
  };
}
