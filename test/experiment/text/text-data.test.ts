/** The texts of a trial: how they are split, batched, and which the stitching layers are fitted on. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { datasetSchema, type TextDatasetConfig } from '../../../src/config/schema/dataset.js';
import { wordTasks } from '../../../src/data/instructions/word-tasks.js';
import type { TextLoader } from '../../../src/data/text/loader.js';
import { TextTokenizer } from '../../../src/data/text/tokenizer.js';
import type { TextRecipe } from '../../../src/experiment/recipe.js';
import { countTexts, loadInstructions, textTrialData } from '../../../src/experiment/text/text-data.js';
import { languageModelFolder } from '../../../src/models/pretrained/sources/embedded.js';
import { temporaryFolder } from '../../models/pretrained/fixtures.js';

const recipe: TextRecipe = {
  ...{ cutoff: 128, trainOnInputs: true, groupByLength: false, multiple: 8, batchSize: 4, microBatchSize: 2 },
  ...{ evaluationBatchSize: 3, weights: 'float32', targets: ['q_proj'], alpha: 1 },
};
const words = { kind: 'word-tasks', train_texts: 10, validation_texts: 4, test_texts: 2, seed: 5 };

async function trialData(changes: Partial<TextRecipe> = {}, fitTexts = 3, dataset: object = words) {
  const parts = await loadInstructions(datasetSchema.parse({ name: 'w', ...dataset }) as TextDatasetConfig);
  const tokenizer = await TextTokenizer.open(await languageModelFolder('embedded', 'llama_mini_small'));
  return textTrialData({ ...recipe, ...changes }, parts, tokenizer, { seed: 0, fitTexts });
}

/** Of the first epoch: texts of each step, and lengths of each micro batch. */
async function epochOf(loader: TextLoader) {
  const steps = [];
  for await (const { indices, parts } of loader.batches()) {
    steps.push({ indices, sizes: parts.map(({ ids }) => ids.shape) });
  }
  return steps;
}

test('made texts are one list: training, then validation, then test', async () => {
  const parts = await loadInstructions(datasetSchema.parse({ name: 'w', ...words }) as TextDatasetConfig);
  const { train, validation, test: held } = parts;
  assert.deepEqual([train.length, validation.length, held.length], [10, 4, 2]);
  assert.deepEqual([...train, ...validation, ...held], wordTasks(16, 5));
  assert.deepEqual(countTexts(parts), { train: 10, 'train+validation': 14 });
});

test('training drops what fills no step, and comes in micro batches; evaluation sees every text in its order', async () => {
  const data = await trialData();
  assert.deepEqual([data.kind, data.hasTest], ['texts', true]);
  const steps = await epochOf(data.training());
  assert.deepEqual(
    steps.map(({ indices, sizes }) => [indices.length, sizes.map(([texts]) => texts)]),
    [
      [4, [2, 2]],
      [4, [2, 2]],
    ],
  );
  const seen = steps.flatMap(({ indices }) => indices);
  assert.equal(new Set(seen).size, 8);
  assert.notDeepEqual(seen, [0, 1, 2, 3, 4, 5, 6, 7], 'shuffled');
  const lengths = steps.flatMap(({ sizes }) => sizes.map(([, length]) => length!));
  assert.ok(lengths.every((length) => length % 8 === 0));
  const given = async (split?: 'validation' | 'test') =>
    (await epochOf(data.evaluation(split))).map(({ indices }) => indices);
  assert.deepEqual(await given(), [[0, 1, 2], [3]]);
  assert.deepEqual(await given('validation'), [[0, 1, 2], [3]]);
  assert.deepEqual(await given('test'), [[0, 1]]);
  await data.close();
  const { test_texts: _, ...without } = words;
  assert.equal((await trialData({}, 3, without)).hasTest, false);
});

test('grouped by length, the longest text of all comes first', async () => {
  const many = { ...words, train_texts: 64 };
  const [grouped, shuffled] = await Promise.all(
    [true, false].map(async (groupByLength) =>
      epochOf((await trialData({ groupByLength, multiple: 1 }, 3, many)).training()),
    ),
  );
  const padded = (steps: typeof grouped) =>
    steps!.flatMap(({ sizes }) => sizes).reduce((sum, [texts, length]) => sum + texts! * length!, 0);
  assert.ok(padded(grouped) < padded(shuffled), `${padded(grouped)} ${padded(shuffled)}`);
  const lengths = grouped!.flatMap(({ sizes }) => sizes.map(([, length]) => length!));
  assert.equal(lengths[0], Math.max(...lengths));
});

test('stitching layers are fitted on so many training texts, cut to lengths that need few programs', async () => {
  const long = await trialData({}, 3);
  assert.equal(long.fit.length, 3);
  for (const { shape, data } of long.fit) {
    assert.equal(shape[0], 1);
    assert.equal(shape[1], data.length);
    assert.ok(data.length % 32 === 0 && data.length > 0, `${data.length}`); // instructions have more than 32 tokens
    assert.ok(data.every((id) => id > 0));
  }
  assert.equal((await trialData({}, 100)).fit.length, 10, 'no more than there are');
  const short = await trialData({ cutoff: 20 }, 1);
  assert.deepEqual(short.fit[0]!.shape, [1, 20]);
  assert.deepEqual((await trialData({ cutoff: 32 }, 1)).fit[0]!.shape, [1, 32]);
  assert.deepEqual((await trialData({ cutoff: 63 }, 1)).fit[0]!.shape, [1, 32]);
});

test('texts of which nothing is learned are refused', async () => {
  const refused = {
    name: 'RequestError',
    message:
      /^text\.cutoff: 10 tokens cut off the answers of 10 of 10 training texts, 4 of 4 validation texts and 2 of 2 test texts, so/,
    hint: /Raise it/,
  };
  await assert.rejects(trialData({ cutoff: 10, trainOnInputs: false }), refused);
  assert.deepEqual((await trialData({ cutoff: 10 })).notes, []);
  // The first token is predicted by none.
  await assert.rejects(trialData({ cutoff: 1 }), { message: /^text\.cutoff: 1 tokens/ });
});

test('a file without answers is refused; one answer is enough', async (t) => {
  const file = path.join(temporaryFolder(t), 'a.json');
  const dataset = datasetSchema.parse({
    kind: 'instructions',
    name: 'a',
    file,
    validation_texts: 1,
  }) as TextDatasetConfig;
  const write = (...outputs: string[]) =>
    writeFile(file, JSON.stringify(outputs.map((output, index) => ({ instruction: `${index}`, output }))));
  await write('', ' ', '\n');
  await assert.rejects(loadInstructions(dataset), {
    ...{ name: 'RequestError', hint: 'Give the entries their answers as "output".' },
    message: `${file}: the output of all 3 entries is empty, so that no answer can be learned`,
  });
  await write('', 'x', '');
  assert.equal((await loadInstructions(dataset)).train.length, 2);
});
