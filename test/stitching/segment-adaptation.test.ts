/** Adapted layers against x (W + s A B) + b + added, written out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import tf = require('@tensorflow/tfjs');

import { registerDecompositions } from '../../src/engine/ops/decompositions.js';
import type { Architecture } from '../../src/models/architecture.js';
import type { NetworkWeights } from '../../src/models/family.js';
import { adapted, type LinearMap } from '../../src/models/layers.js';
import { Random } from '../../src/shared/random.js';
import { noTrainables, type Trainables } from '../../src/stitching/parameters/trainables.js';
import { segmentAdaptation } from '../../src/stitching/segment-adaptation.js';

await tf.setBackend('cpu');
registerDecompositions('cpu');

const random = Random.of(0, 'segment adaptation');
const draw = (...shape: number[]) =>
  tf.tensor(
    Array.from({ length: shape.reduce((product, extent) => product * extent, 1) }, () => random.normal()),
    shape,
  );
const [width, hidden, scale] = [6, 10, 0.5];
const layers = { query: [width, width], key: [width, width], expand: [width, hidden] } as const;
type Name = keyof typeof layers;
const names = Object.keys(layers) as Name[];

/** Two blocks, each with a stack of two layers and one of a single layer; the segment is both, as blocks 1 and 2. */
const adaptedOfBlock = [
  { name: 'attention', layers: ['query', 'key'], from: width, to: width, scale },
  { name: 'expand', layers: ['expand'], from: width, to: hidden },
];
const architecture = { blocks: Array(3).fill({ adapted: adaptedOfBlock }) } as unknown as Architecture;

interface Case {
  readonly name: string;
  readonly rank: number;
  /** Factor of all widths. */
  readonly times: number;
  readonly hasBiases: boolean;
  readonly isMerged: boolean;
}

for (const { name, rank, times, hasBiases, isMerged } of [
  { name: 'narrow layers are merged', rank: 3, times: 1, hasBiases: true, isMerged: true },
  { name: 'wide layers are not', rank: 1, times: 20, hasBiases: true, isMerged: false },
  { name: 'nor are those without a bias', rank: 3, times: 1, hasBiases: false, isMerged: false },
] satisfies Case[]) {
  test(`${name}, and the layers and their gradients are the same`, () => {
    const shapes = Object.fromEntries(names.map((layer) => [layer, layers[layer].map((extent) => extent * times)]));
    const block = () =>
      Object.fromEntries(
        names.map((layer) => {
          const [from, to] = shapes[layer] as [number, number];
          return [layer, { weight: draw(from, to), ...(hasBiases && { bias: draw(to) }) }];
        }),
      ) as Record<Name, LinearMap<tf.Tensor>>;
    const blocks = [block(), block(), block()];
    const stack = (count: number, [from, to]: readonly number[]) => ({
      down: draw(count, from!, rank),
      up: draw(count, rank, to!),
    });
    const stacks = () => ({ attention: stack(2, shapes['query']!), expand: stack(1, shapes['expand']!) });
    const updates = { 7: { 1: stacks(), 2: stacks() } };
    const trainables = { ...noTrainables, updates } as Trainables<tf.Tensor>;
    const wide = adaptedOfBlock.map((of) => ({ ...of, from: of.from * times, to: of.to * times }));
    const ofSize = { ...architecture, blocks: Array(3).fill({ adapted: wide }) } as Architecture;
    const segment = {
      stitch: 4,
      anchor: 7,
      blocks: [1, 3],
      architecture: ofSize,
      weights: { blocks } as unknown as NetworkWeights<tf.Tensor>,
    } as const;
    const lengths = [1, 2].flatMap(() => names.map((layer) => shapes[layer]![1]!));
    const added = draw(lengths.reduce((sum, length) => sum + length));
    const x = draw(5, width * times);

    const outputs = (given: Trainables<tf.Tensor>, biases: tf.Tensor) => {
      const adaptation = segmentAdaptation(segment, given, biases);
      assert.deepEqual([...adaptation.keys()], [1, 2]);
      assert.equal('merged' in adaptation.get(1)!['key']!, isMerged);
      return [1, 2].flatMap((at) =>
        names.map((layer) => adapted(blocks[at]![layer], x, adaptation.get(at)![layer]).square().sum()),
      );
    };
    const expected = (given: Trainables<tf.Tensor>, biases: tf.Tensor) => {
      const parts = tf.split(biases, lengths).values();
      return [1, 2].flatMap((at) => {
        const { attention, expand } = given.updates[7]![at]! as ReturnType<typeof stacks>;
        const of = (layer: Name, { down, up }: ReturnType<typeof stack>, index: number, factor: number) => {
          const { weight, bias } = blocks[at]![layer];
          const [a, b] = [down, up].map((part) => part.gather([index]).squeeze([0]) as tf.Tensor2D);
          const y = tf.matMul(x as tf.Tensor2D, weight.add(tf.matMul(a!, b!).mul(factor))).add(parts.next().value!);
          return (bias ? y.add(bias) : y).square().sum();
        };
        return [of('query', attention, 0, scale), of('key', attention, 1, scale), of('expand', expand, 0, 1)];
      });
    };
    const moving = [added, updates[7][1].attention.down, updates[7][2].attention.up, updates[7][2].expand.down];
    const withGradients = (run: typeof outputs) => {
      const { value, grads } = tf.valueAndGrads((biases, down, up, other) => {
        const [first, second] = [updates[7][1], updates[7][2]];
        const given = {
          1: { ...first, attention: { ...first.attention, down: down! } },
          2: { attention: { ...second.attention, up: up! }, expand: { ...second.expand, down: other! } },
        };
        return tf.addN(run({ ...trainables, updates: { 7: given } }, biases!)) as tf.Scalar;
      })(moving);
      return [value, ...grads].map((tensor) => tensor.dataSync());
    };
    for (const [index, values] of withGradients(outputs).entries()) {
      const wanted = withGradients(expected)[index]!;
      const size = Math.max(...wanted.map(Math.abs));
      // Float32 sums of some hundred terms.
      assert.ok(
        values.every((value, at) => Math.abs(value - wanted[at]!) < 1e-5 * size),
        `part ${index}`,
      );
    }
  });
}

test('layers without updates only get biases, and nothing where there are none', () => {
  const blocks = [{ query: {}, key: {}, expand: {} }];
  const segment = {
    stitch: 0,
    anchor: 0,
    blocks: [0, 1],
    architecture,
    weights: { blocks } as unknown as NetworkWeights<tf.Tensor>,
  } as const;
  assert.deepEqual(segmentAdaptation(segment, noTrainables).get(0), { query: {}, key: {}, expand: {} });
  const biases = segmentAdaptation(segment, noTrainables, tf.range(0, 2 * width + hidden)).get(0)!;
  assert.deepEqual([...biases['key']!.bias!.dataSync()], [6, 7, 8, 9, 10, 11]);
});
