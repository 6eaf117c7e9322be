/**
 * The network against plain PyTorch (fixture: test/fixtures/make-llama.py): logits of a left-padded batch and the gradient
 * of every weight, low-rank update and added bias, for each flavour of the family, on both backends.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, test } from 'node:test';

import tf = require('@tensorflow/tfjs');

import { createOnnxEngine } from '../../../src/engine/onnx/engine.js';
import { isTensor } from '../../../src/engine/tensor.js';
import type { LayerAdaptation } from '../../../src/models/layers.js';
import { fromPublished } from '../../../src/models/layouts.js';
import type { LlamaConfig } from '../../../src/models/llama/config.js';
import { type LlamaWeights, runLlama } from '../../../src/models/llama/llama.js';
import { llamaTensors } from '../../../src/models/llama/tensors.js';
import { publishedFrom, treeOf } from '../../../src/models/weights.js';
import { type Float32NdArray, float32, int32, isFloat32 } from '../../../src/shared/arrays.js';
import { leavesOf, mapTree } from '../../../src/shared/tree.js';
import { assertClose, onEngine, onReference } from '../../engine/tensors.js';
import { fixture } from '../../fixture.js';

interface Case {
  flavour: string;
  heads: number;
  kv: number;
  head: number;
  layers: number;
  eps: number;
  theta: number;
  tied: boolean;
  ids: number[];
  mask: number[];
  weights: number[];
  logits: number[];
  parameters: Record<string, { shape: number[]; data: number[] }>;
  gradients: Record<string, number[]>;
}

const file = JSON.parse(await readFile(fixture('llama.json'), 'utf8')) as {
  vocabulary: number;
  mlp: number;
  scale: number;
  tokens: number;
  cases: Case[];
};
const engine = await createOnnxEngine({ threads: 1 });
after(() => engine.dispose());

const configOf = ({ heads, kv, head, layers, eps, theta, tied }: Case): LlamaConfig => ({
  width: 8,
  depth: layers,
  heads,
  keyValueHeads: kv,
  headWidth: head,
  mlpWidth: file.mlp,
  vocabulary: file.vocabulary,
  epsilon: eps,
  theta,
  contextLength: 16,
  tied,
  beginId: undefined,
  endIds: [],
});

/** Everything that gets a gradient. */
interface Parameters<T> {
  readonly weights: LlamaWeights<T>;
  readonly adaptations: readonly Record<'query' | 'value', { update: { down: T; up: T }; bias: T }>[];
}

function parametersOf(values: (name: string) => Float32NdArray, config: LlamaConfig): Parameters<Float32NdArray> {
  const weights = treeOf(llamaTensors(config), ({ layout, published }) =>
    fromPublished(layout, values(published)),
  ) as LlamaWeights<Float32NdArray>;
  const adaptation = (block: number, name: string) => ({
    update: { down: values(`update.${block}.${name}.down`), up: values(`update.${block}.${name}.up`) },
    bias: values(`bias.${block}.${name}`),
  });
  const adaptations = weights.blocks.map((_, block) => ({
    query: adaptation(block, 'q_proj'),
    value: adaptation(block, 'v_proj'),
  }));
  return { weights, adaptations };
}

/** Weights with a low-rank update are frozen: they get no gradient. */
const isAdapted = (path: string) => /^weights\/blocks\/\d+\/(query|value)\/weight$/.test(path);

/** Logits of real tokens, and the gradients of their weighted sum. */
const withGradients =
  (config: LlamaConfig) =>
  (inputs: { parameters: Parameters<tf.Tensor>; ids: tf.Tensor; present: tf.Tensor; weights: tf.Tensor }) => {
    const tree = inputs.parameters;
    const leaves = leavesOf(tree, isTensor).filter(({ path }) => !isAdapted(path));
    const logitsOf = (tensors: tf.Tensor[]) => {
      const byPath = new Map(leaves.map(({ path }, index) => [path, tensors[index]!]));
      const { weights, adaptations } = mapTree(tree, isTensor, (leaf, path) => byPath.get(path) ?? leaf);
      const scaled = adaptations.map(({ query, value }) => ({
        query: { ...query, scale: file.scale } satisfies LayerAdaptation,
        value: { ...value, scale: file.scale } satisfies LayerAdaptation,
      }));
      return runLlama(weights, inputs.ids, config, inputs.present, scaled);
    };
    const tensors = leaves.map(({ leaf }) => leaf);
    const { grads } = tf.valueAndGrads((...moved: tf.Tensor[]) => logitsOf(moved).mul(inputs.weights).sum<tf.Scalar>())(
      tensors,
    );
    const real = inputs.present.cast('float32').reshape([2, file.tokens, 1]);
    return {
      logits: logitsOf(tensors).mul(real),
      gradients: Object.fromEntries(leaves.map(({ path }, index) => [path, grads[index]!])),
    };
  };

for (const case_ of file.cases) {
  const config = configOf(case_);
  const shape = [2, file.tokens];
  const arrayOf = (values: Record<string, number[]>) => (name: string) =>
    float32(case_.parameters[name]!.shape, Float32Array.from(values[name]!));
  const data = Object.fromEntries(Object.entries(case_.parameters).map(([name, value]) => [name, value.data]));
  const parameters = parametersOf(arrayOf(data), config);
  const inputs = {
    parameters,
    ids: int32(shape, Int32Array.from(case_.ids)),
    present: int32(shape, Int32Array.from(case_.mask)),
    weights: float32([...shape, file.vocabulary], Float32Array.from(case_.weights)),
  };
  const gradients = parametersOf(arrayOf(case_.gradients), config);
  const expected = new Map<string, readonly number[]>([['logits', case_.logits]]);
  for (const { path, leaf } of leavesOf(gradients, isFloat32)) {
    if (!isAdapted(path)) expected.set(`gradients/${path}`, Array.from(leaf.data));
  }

  test(`${case_.flavour}: logits and gradients equal PyTorch to 1e-4 relative`, async () => {
    assertClose(await onEngine(engine, case_.flavour, withGradients(config), inputs), expected, 1e-4);
  });

  test(`${case_.flavour}: on plain TensorFlow.js kernels too`, () => {
    assertClose(onReference(withGradients(config), inputs), expected, 1e-4);
  });

  test(`${case_.flavour}: weights survive the way to the names of Hugging Face and back`, async () => {
    const tensors = publishedFrom(parameters.weights, llamaTensors(config));
    const names = Object.keys(case_.parameters).filter((name) => /^(model|lm_head)\./.test(name));
    assert.deepEqual(Object.keys(tensors).sort(), names.sort());
    for (const name of names) assert.deepEqual(tensors[name], arrayOf(data)(name), name);
  });
}
