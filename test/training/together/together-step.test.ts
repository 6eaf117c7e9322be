/** Steps of a family beside steps of its members alone, and beside formulas by hand. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import tf = require('@tensorflow/tfjs');

import type { Values } from '../../../src/engine/engine.js';
import { createOnnxEngine } from '../../../src/engine/onnx/engine.js';
import { toDevice, toHost } from '../../../src/engine/transfer.js';
import { fromScratch } from '../../../src/models/from-scratch.js';
import { type Float32NdArray, float32, int32, uint8 } from '../../../src/shared/arrays.js';
import { Random } from '../../../src/shared/random.js';
import { namedLeaves, treeOf } from '../../../src/training/parameters.js';
import { supervisedStep } from '../../../src/training/supervised-step.js';
import { StackedForm } from '../../../src/training/together/stacked-network.js';
import { type Family, type TogetherOptions, togetherSteps } from '../../../src/training/together/together-step.js';
import { initialState, mapState } from '../../../src/training/training-state.js';
import { architectures } from '../miniature-network.js';

const engine = await createOnnxEngine({ threads: 1 });
after(() => engine.dispose());

const learners = architectures.map((architecture) => {
  const { fresh, logits } = fromScratch(architecture);
  const start = fresh(3, Random.of(0, architecture.name));
  return { name: architecture.name, logits, start, form: new StackedForm(start) };
});
const stacked: Family<Float32NdArray> = Object.fromEntries(
  learners.map(({ name, form, start }) => [name, form.stack(start)]),
);
const options: TogetherOptions = {
  ...{ classes: 3, weightDecay: 0.1, labelSmoothing: 0.1, distillation: 0, teacher: 'large', clipNorm: 1e6 },
  ...{ preprocessing: { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] }, jitters: false },
};
const side = 8;
const batch = 2;
const random = Random.of(0, 'images');
const pixels = Uint8Array.from({ length: 2 * batch * side * side * 3 }, () => random.integer(256));
const whole = [0, side, 0, side, 1, 1, 1];
const labels = [0, 2, 1, 1];
const lambdas = [0.75, 1];
/** Learning rates of the two steps, small and large. */
const rates = [0.01, 0.02, 0.03, 0.04];

type State = ReturnType<typeof stateOf>;
const stateOf = (parameters: Family<Float32NdArray>) => {
  const state = initialState(namedLeaves<Float32NdArray>(parameters));
  return mapState(state, (arrays) => treeOf(stacked, arrays)) as {
    parameters: Family<Float32NdArray>;
    optimizer: never;
  };
};

/** Makes the steps from `first` to `end` in one program. */
async function steps(changes: Partial<TogetherOptions>, state: State, first: number, end: number, kept?: number[]) {
  const changed = { ...options, ...changes };
  const run = engine.compile(`together ${JSON.stringify(changed)}`, togetherSteps(learners, changed));
  const part = <T extends { slice(from: number, to: number): T }>(all: T, each: number) =>
    all.slice(first * each, end * each);
  const count = end - first;
  const result = await run(
    toDevice(engine, {
      state,
      images: uint8([count * batch, side, side, 3], part(pixels, batch * side * side * 3)),
      views: float32([count * batch, 7], Float32Array.from(new Array(count * batch).fill(whole).flat())),
      labels: int32([count * batch], Int32Array.from(part(labels, batch))),
      rates: float32([count, 2], Float32Array.from(part(rates, 2))),
      mixupLambdas: float32([count], Float32Array.from(part(lambdas, 1))),
      ...(kept && { kept: int32([count, kept.length / count], Int32Array.from(kept)) }),
    }) as Values<never>,
  );
  const { state: moved, losses } = (await toHost(engine, result)) as unknown as {
    state: State;
    losses: Float32NdArray;
  };
  return { state: moved, losses: [...losses.data] };
}

/** One step of a network alone, on images that the host has normalised. */
async function alone(name: string, kept?: number[]) {
  const { logits, start, form } = learners.find((learner) => learner.name === name)!;
  const run = engine.compile(`alone ${name}`, supervisedStep({ logits }, options));
  const images = Float32Array.from(pixels.subarray(0, pixels.length / 2), (value) => value / 127.5 - 1);
  const tree = mapState(initialState(namedLeaves<Float32NdArray>(start)), (arrays) => treeOf(start, arrays));
  const result = await run(
    toDevice(engine, {
      state: tree,
      images: float32([batch, side, side, 3], images),
      labels: int32([batch], Int32Array.from(labels.slice(0, 2))),
      rate: float32([], Float32Array.of(name === 'small' ? rates[0]! : rates[1]!)),
      mixupLambda: float32([], Float32Array.of(lambdas[0]!)),
      ...(kept && { kept: int32([kept.length], Int32Array.from(kept)) }),
    }) as Values<never>,
  );
  const { state, loss } = (await toHost(engine, result)) as unknown as {
    state: { parameters: typeof start };
    loss: Float32NdArray;
  };
  return { stacked: form.stack(state.parameters), loss: loss.data[0]! };
}

const furthest = (a: Float32NdArray, b: Float32NdArray) =>
  a.data.reduce((most, value, at) => Math.max(most, Math.abs(value - b.data[at]!)), 0);

test('a step of the family is a step of each member alone, on the patches that are kept', async () => {
  for (const kept of [undefined, [0, 1, 4]]) {
    const { state, losses } = await steps({}, stateOf(stacked), 0, 1, kept);
    for (const [index, { name }] of learners.entries()) {
      const expected = await alone(name, kept);
      assert.ok(Math.abs(losses[index]! - expected.loss) < 1e-5, `${losses[index]}, expected ${expected.loss}`);
      for (const part of Object.keys(stacked[name]!)) {
        // AdamW's first step is the rate times the sign of a gradient, which rounding turns where it is nearly 0.
        const off = furthest(state.parameters[name]![part]!, expected.stacked[part]!);
        assert.ok(off < 1e-4, `${name} ${part}: ${off}`);
        assert.ok(furthest(state.parameters[name]![part]!, stacked[name]![part]!) > 5e-3, 'it has moved');
      }
    }
  }
});

test('two steps of one program are two programs of one step', async () => {
  const both = await steps({ distillation: 0.5 }, stateOf(stacked), 0, 2);
  const first = await steps({ distillation: 0.5 }, stateOf(stacked), 0, 1);
  const second = await steps({ distillation: 0.5 }, first.state, 1, 2);
  assert.deepEqual(
    both.losses.map((loss) => loss.toFixed(5)),
    [...first.losses, ...second.losses].map((loss) => loss.toFixed(5)),
  );
  for (const { name } of learners) {
    for (const [stack, moved] of Object.entries(both.state.parameters[name]!)) {
      assert.ok(furthest(moved, second.state.parameters[name]![stack]!) < 1e-4, `${name} ${stack}`);
    }
  }
});

test('the smaller one learns from labels and from the probabilities of the larger; that learns as ever', async () => {
  const loss = async (distillation: number) =>
    (await steps({ distillation }, stateOf(stacked), 0, 1)).losses as [number, number];
  const [none, half, all] = [await loss(0), await loss(0.5), await loss(1)];
  assert.equal(half[1], none[1]);
  assert.ok(Math.abs(half[0] - (none[0] + all[0]) / 2) < 1e-5, 'linear in the share');
  // Entropy of the small one's answers with those of the large, by hand.
  tf.setBackend('cpu');
  const images = Float32Array.from(pixels.subarray(0, pixels.length / 2), (value) => value / 127.5 - 1);
  const inputs = { images: float32([batch, side, side, 3], images) };
  const answers = await Promise.all(
    learners.map(async ({ name, logits, start }) => {
      const run = engine.compile(`answers ${name}`, ({ network, images }: never) => {
        const x = images as tf.Tensor;
        return { logits: logits(network, x.mul(0.75).add(x.reverse(0).mul(0.25))) };
      });
      const { logits: value } = (await run(toDevice(engine, { network: start, ...inputs }) as never)) as {
        logits: never;
      };
      return [...(await engine.get(value)).data];
    }),
  );
  const soft = (row: number[]) => {
    const exponentials = row.map(Math.exp);
    const sum = exponentials.reduce((a, b) => a + b);
    return exponentials.map((value) => value / sum);
  };
  let expected = 0;
  for (const image of [0, 1]) {
    const [small, large] = answers.map((values) => soft(values.slice(3 * image, 3 * image + 3))) as [
      number[],
      number[],
    ];
    expected -= large.reduce((sum, share, index) => sum + share * Math.log(small[index]!), 0) / 2;
  }
  assert.ok(Math.abs(all[0] - expected) < 1e-5, `${all[0]}, expected ${expected}`);
});

test('a gradient longer than the norm is shortened to it, a shorter one left alone', async () => {
  const lengthOf = async (clipNorm: number) => {
    const { state } = await steps({ clipNorm }, stateOf(stacked), 0, 1);
    const { expAvg } = state.optimizer as { expAvg: Family<Float32NdArray> };
    // The first average is a tenth of the gradient.
    return 10 * Math.hypot(...Object.values(expAvg['large']!).flatMap(({ data }) => [...data]));
  };
  const whole = await lengthOf(1e6);
  assert.ok(Math.abs((await lengthOf(whole / 4)) / whole - 0.25) < 1e-4);
  assert.ok(Math.abs((await lengthOf(whole * 2)) / whole - 1) < 1e-4);
});
