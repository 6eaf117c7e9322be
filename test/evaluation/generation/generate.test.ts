/** Generation with a cache equals the network run as a whole, and a real model tells its published story. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type * as tf from '@tensorflow/tfjs';
import { convertLlama2c } from '../../../data-scripts/llama2c/convert.js';
import { TextTokenizer } from '../../../src/data/text/tokenizer.js';
import { createOnnxEngine } from '../../../src/engine/onnx/engine.js';
import { generate } from '../../../src/evaluation/generation/generate.js';
import { languageModel } from '../../../src/evaluation/generation/language-model.js';
import { greedy } from '../../../src/evaluation/generation/sampling.js';
import type { LlamaConfig } from '../../../src/models/llama/config.js';
import { type LlamaWeights, runLlama } from '../../../src/models/llama/llama.js';
import { loadLlama } from '../../../src/models/llama/load.js';
import { llamaTensors } from '../../../src/models/llama/tensors.js';
import { treeOf } from '../../../src/models/weights.js';
import { type Float32NdArray, float32, int32, sizeOf } from '../../../src/shared/arrays.js';
import { Random } from '../../../src/shared/random.js';
import { temporaryFolder } from '../../data/official/temporary-folder.js';
import { onReference } from '../../engine/tensors.js';
import { testData, whereThereIs } from '../../test-data.js';

const engine = await createOnnxEngine({ threads: 1 });
after(() => engine.dispose());

const config: LlamaConfig = {
  width: 16,
  depth: 2,
  heads: 4,
  keyValueHeads: 2,
  headWidth: 4,
  mlpWidth: 24,
  vocabulary: 20,
  epsilon: 1e-5,
  theta: 10000,
  contextLength: 512,
  tied: false,
  beginId: 1,
  endIds: [2],
};
const random = Random.of(0, 'generation');
const weights = treeOf(llamaTensors(config), ({ shape }) =>
  float32(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => 0.4 * random.normal()),
  ),
) as LlamaWeights<Float32NdArray>;

/** Logits after the last of `ids`, of the network run as a whole on TensorFlow.js' own kernels. */
function asAWhole(ids: readonly number[]): readonly number[] {
  const inputs = { weights, ids: int32([1, ids.length], Int32Array.from(ids)) };
  const run = (given: { weights: LlamaWeights<tf.Tensor>; ids: tf.Tensor }) => ({
    logits: runLlama(given.weights, given.ids, config).slice([0, ids.length - 1, 0], [1, 1, -1]),
  });
  return onReference(run, inputs).get('logits')!;
}

test('reading in parts equals the network run as a whole: one token, chunks that are filled up, a cache that grows', async () => {
  const model = languageModel(engine, config, weights);
  const ids = Array.from({ length: 340 }, () => random.integer(config.vocabulary));
  const reading = model.begin();
  let read = 0;
  for (const count of [1, 1, 5, 16, 40, 1, 270, 1, 5]) {
    const logits = await reading.read(ids.slice(read, read + count));
    read += count;
    const expected = asAWhole(ids.slice(0, read));
    const error = Math.max(...expected.map((value, index) => Math.abs(value - logits[index]!)));
    assert.ok(error < 1e-4 * Math.max(...expected.map(Math.abs)), `after ${read} tokens: error ${error}`);
    assert.equal(reading.length, read);
  }
  model.dispose();
});

test('two texts of one model do not see each other', async () => {
  const model = languageModel(engine, config, weights);
  const [one, other] = [model.begin(), model.begin()];
  await one.read([3, 4, 5]);
  await other.read([9]);
  const logits = await one.read([6]);
  const expected = asAWhole([3, 4, 5, 6]);
  assert.ok(Math.max(...expected.map((value, index) => Math.abs(value - logits[index]!))) < 1e-4);
});

/** karpathy/llama2.c: doc/stories260K.md, greedy from an empty prompt. */
const story =
  'Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she saw a big, ' +
  'red ball. She wanted to play with it, but it was too high.';

test(
  'stories260K tells its published story, greedily, from its llama2.c file',
  whereThereIs('llama/stories260K.bin', 'llama/tok512.bin'),
  async (t) => {
    const folder = await temporaryFolder(t);
    await convertLlama2c(testData('llama/stories260K.bin'), testData('llama/tok512.bin'), folder);
    const loaded = await loadLlama(folder);
    assert.equal(loaded.params, 260032);
    const model = languageModel(engine, loaded.config, loaded.weights);
    const pieces: string[] = [];
    const generated = await generate(model, await TextTokenizer.open(folder), '', {
      sampling: greedy,
      maxTokens: 100,
      random,
      onText: (text) => pieces.push(text),
    });
    assert.equal(generated.text.slice(0, story.length), story);
    assert.equal(pieces.join(''), generated.text);
    assert.ok(pieces.length > 50, 'text is given out as it comes');

    const small = await loadLlama(folder, { storage: '8bit' });
    const inEightBits = await generate(
      languageModel(engine, small.config, small.weights),
      await TextTokenizer.open(folder),
      '',
      { sampling: greedy, maxTokens: 60, random },
    );
    assert.equal(inEightBits.text.slice(0, 100), story.slice(0, 100), 'in 8 bits it tells the same beginning');
  },
);
