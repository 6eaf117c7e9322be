/** Generation with a cache equals the network run as a whole, and a real model tells its published story. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type * as tf from '@tensorflow/tfjs';
import { convertLlama2c } from '../../../data-scripts/llama2c/convert.js';
import { TextTokenizer } from '../../../src/data/text/tokenizer.js';
import { createOnnxEngine } from '../../../src/engine/onnx/engine.js';
import { generate } from '../../../src/evaluation/generation/generate.js';
import { type LanguageModel, languageModel } from '../../../src/evaluation/generation/language-model.js';
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

test('texts side by side, their cache growing, are read as each alone', async () => {
  const model = languageModel(engine, config, weights);
  const texts = [0, 1, 2].map(() => Array.from({ length: 70 }, () => random.integer(config.vocabulary)));
  const together = model.begin(3);
  await together.readAll(texts.map((ids) => ids.slice(0, 50)));
  await together.readAll(texts.map((ids) => ids.slice(50, 69)));
  const order = [2, 0, 1, 0];
  const logits = await together.select(order).readAll(order.map((text) => texts[text]!.slice(69)));
  assert.equal(logits.length, 4 * config.vocabulary);
  for (const [text, ids] of order.map((text) => texts[text]!).entries()) {
    const alone = await model.begin().read(ids);
    const own = logits.subarray(text * config.vocabulary, (text + 1) * config.vocabulary);
    const largest = Math.max(...alone.map(Math.abs));
    assert.ok(alone.every((logit, index) => Math.abs(logit - own[index]!) < 1e-5 * largest));
  }
  model.dispose();
});

test('a text is not longer than what the network was trained to see, and not empty', async () => {
  const model = languageModel(engine, { ...config, contextLength: 66 }, weights);
  const reading = model.begin();
  await assert.rejects(reading.read([]), /nothing to read/);
  await reading.read(Array(64).fill(3));
  await reading.read([4]);
  await reading.read([5]);
  await assert.rejects(reading.read([6]), {
    name: 'RequestError',
    message: 'the text has 67 tokens, more than the 66 that the network was trained to see',
  });
  model.dispose();
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

/** Bytes as tokens, 0 as the end. */
const bytes = {
  special: { begin: 1, end: [0], padding: 0 },
  encode: (text: string) => [...Buffer.from(text)],
  decode: (ids: readonly number[]) => Buffer.from(ids).toString(),
} as unknown as TextTokenizer;

/** Answers the bytes of `script`, one after the other; `read` notes what it was given. */
function scripted(script: readonly number[], contextLength = 100) {
  const read: number[][] = [];
  const reading = {
    length: 0,
    read: async (ids: readonly number[]) => {
      read.push([...ids]);
      const logits = new Float32Array(256);
      logits[script[read.length - 1]!] = 1;
      return logits;
    },
    end: () => {},
  };
  const model = { contextLength, begin: () => reading, dispose() {} } as unknown as LanguageModel;
  return { model, read };
}

const said = [...Buffer.from('a€b')];

test('text is given out in whole characters, and nothing is read that is not needed', async () => {
  const { model, read } = scripted(said);
  const pieces: string[] = [];
  const options = { sampling: greedy, maxTokens: said.length, random, onText: (text: string) => pieces.push(text) };
  const { promptSeconds, secondsPerToken, ...generated } = await generate(model, bytes, 'hi', options);
  assert.deepEqual(generated, { text: 'a€b', promptTokens: 2, tokens: 5, stopped: 'length' });
  assert.deepEqual(pieces, ['hi', 'a', '€', 'b']);
  assert.deepEqual(read, [[...Buffer.from('hi')], ...said.slice(0, -1).map((byte) => [byte])]);
  assert.ok(promptSeconds >= 0 && secondsPerToken >= 0 && Number.isFinite(secondsPerToken));
});

test('an end token ends it and is not counted; Ctrl-C ends it between two tokens', async () => {
  const options = { sampling: greedy, maxTokens: 10, random };
  const ended = await generate(scripted([...said.slice(0, 1), 0]).model, bytes, 'hi', options);
  assert.deepEqual([ended.text, ended.tokens, ended.stopped], ['a', 1, 'end']);
  const controller = new AbortController();
  const onText = (text: string) => text === 'a' && controller.abort();
  const stopped = await generate(scripted(said).model, bytes, 'hi', { ...options, onText, signal: controller.signal });
  assert.deepEqual([stopped.text, stopped.tokens, stopped.stopped], ['a', 1, 'interrupted']);
  const none = await generate(scripted([0]).model, bytes, 'hi', options);
  assert.deepEqual([none.text, none.tokens, Number.isFinite(none.secondsPerToken)], ['', 0, true]);
});

test('prompt and new tokens must fit into what the network sees at once', async () => {
  const options = { sampling: greedy, maxTokens: 5, random };
  assert.equal((await generate(scripted(said, 7).model, bytes, 'hi', options)).text, 'a€b');
  await assert.rejects(generate(scripted(said, 6).model, bytes, 'hi', options), {
    name: 'RequestError',
    message: 'a prompt of 2 tokens and 5 new ones exceed the 6 tokens that the network can see',
    hint: /--max-tokens/,
  });
});
