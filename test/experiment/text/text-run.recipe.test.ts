/** Whole runs of stitched language models at the smallest size. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { greedy } from '../../../src/evaluation/generation/sampling.js';
import { findTrial } from '../../../src/experiment/deployed/found-trial.js';
import { answersOf, questionsIn, writeAnswers } from '../../../src/experiment/text/answers.js';
import { answersTable } from '../../../src/report/language/answers-view.js';
import { tableOneReference } from '../../../src/report/paper/table-one.js';
import { renderText } from '../../../src/report/render/render-text.js';
import { readReportContent } from '../../../src/report/report-content.js';
import { Interrupted, RequestError } from '../../../src/shared/errors.js';
import { outcomeOf, watchedProgress } from '../miniature.js';
import { textMiniature, trial } from './text-miniature.js';

test('a run that is stopped and goes on ends as one that was not; its losses are in the result and in the report', async (t) => {
  const mini = await textMiniature(t);
  const data = { kind: 'word-tasks', train_texts: 8, validation_texts: 4, test_texts: 5 };
  const experiment = mini.experiment({ text: { dropout: 0.1 }, data });
  const [whole] = await mini.run(experiment, 'whole');
  for (const [label, at] of [
    ['stitched at', 1],
    ['stitched at', 3],
    ['testing', 1],
  ] as const) {
    const controller = new AbortController();
    const progress = watchedProgress((shown, done) => {
      if (shown.includes(label) && done === at) controller.abort();
    });
    await assert.rejects(mini.run(experiment, 'stopped', { progress, signal: controller.signal }), Interrupted);
  }
  await mini.run(experiment, 'stopped');
  const outcome = (folder: string) => outcomeOf(path.join(mini.folder, folder), trial);
  assert.deepEqual(await outcome('stopped'), await outcome('whole'));

  const { stitches } = whole!;
  assert.deepEqual(stitches.at(-1)!.path, [{ anchor: 'B', blocks: [0, 3] }]);
  for (const { loss, accuracy, test } of stitches) {
    assert.ok(test!.loss > 5 && test!.loss < 6.3 && test!.loss !== loss, `${test!.loss}`);
    // 420 tokens of random weights: about ln 420 = 6.04.
    assert.ok(loss! > 5 && loss! < 6.3, `${loss}`);
    assert.ok(accuracy >= 0 && accuracy <= 100);
  }
  const { tables } = await readReportContent([path.join(mini.folder, 'whole')], tableOneReference);
  const losses = renderText(tables.find(({ name }) => name === 'losses')!);
  for (const { loss, test } of stitches) {
    assert.ok(losses.includes(loss!.toFixed(4)) && losses.includes(test!.loss.toFixed(4)));
    assert.ok(losses.includes(Math.exp(loss!).toFixed(3)));
  }
  const recipe = JSON.parse(await readFile(path.join(mini.folder, 'whole/trials', trial, 'recipe.json'), 'utf8'));
  assert.deepEqual(recipe.stitching.bins, { count: 2, over: 'params' });
  assert.equal(recipe.stages[0].dropout, 0.1);
  assert.deepEqual(recipe.stages[0].final, { split: 'train', epochs: 2, steps: 4, warmupSteps: 1, decay: 'linear' });
});

test('deployed stitches answer: the same again, each by itself, also with weights of 8 bits', async (t) => {
  const mini = await textMiniature(t);
  for (const [folder, changes] of Object.entries({ whole: {}, small: { text: { weights: '8bit' } } })) {
    await mini.run(mini.experiment({ training: { epochs: 1 }, ...changes }), folder);
    const run = await findTrial(path.join(mini.folder, folder));
    const questions = [
      { instruction: 'Say it.', input: '' },
      { instruction: 'Say it.', input: 'moon' },
    ];
    const ask = () =>
      answersOf(mini.engine, run, run.result.stitches, questions, { sampling: greedy, maxTokens: 3, seed: 0 });
    const answers = await ask();
    const said = (all: typeof answers) => all.map((each) => each.map(({ id, text, tokens }) => ({ id, text, tokens })));
    assert.deepEqual(said(await ask()), said(answers));
    const ids = run.result.stitches.map(({ id }) => id);
    assert.deepEqual(
      answers.map((each) => each.map(({ id }) => id)),
      [ids, ids],
    );
    const answered = questions.map((question, index) => ({ ...question, answers: answers[index]! }));
    await writeAnswers(run, { device: 'cpu', questions: answered });
    const { tables } = await readReportContent([path.join(mini.folder, folder)], tableOneReference);
    const shown = renderText(tables.find(({ name }) => name === `answers-${trial}`)!);
    assert.equal(shown.split('Say it. (moon)').length, 2, 'once for all stitches');
    assert.match(shown, /seconds a token measured on cpu/);
    const table = renderText(answersTable(answered[1]!));
    assert.match(table, /^Say it\. \(moon\)/);
    for (const { params, seconds_per_token } of answers[1]!) {
      assert.ok(table.includes((params / 1e6).toFixed(3)));
      assert.ok(seconds_per_token > 0);
    }
  }
});

test('a file of prompts: lines, or the form of Alpaca', async (t) => {
  const { folder } = await textMiniature(t);
  const [lines, alpaca, empty] = ['a.txt', 'a.json', 'b.txt'].map((name) => path.join(folder, name));
  await writeFile(lines!, 'Say it.\n\nSing.\n');
  await writeFile(alpaca!, JSON.stringify([{ instruction: 'Say it.', input: 'moon', output: 'moon' }]));
  await writeFile(empty!, '\n');
  assert.deepEqual(await questionsIn(lines!), [
    { instruction: 'Say it.', input: '' },
    { instruction: 'Sing.', input: '' },
  ]);
  assert.deepEqual(await questionsIn(alpaca!), [{ instruction: 'Say it.', input: 'moon' }]);
  await assert.rejects(questionsIn(empty!), /b\.txt holds no instructions/);
});

test('all methods and 8-bit weights run; the grid takes the rate with the lowest loss', async (t) => {
  const mini = await textMiniature(t);
  const once = { epochs: 1, batch_size: 4, base_learning_rates: [0.5] };
  const others = ['sn-net', 'anchor-lora', 'ss-lora', 'adapt-then-stitch'];
  const results = await mini.run(mini.experiment({ methods: others, training: once }), 'methods');
  assert.deepEqual(
    results.map(({ method, status }) => `${method} ${status}`),
    others.map((method) => `${method} finished`),
  );
  const grid = { training: { epochs: 1, base_learning_rates: [1e-6, 0.5] }, text: { weights: '8bit' } };
  const [result] = await mini.run(mini.experiment(grid), 'grid');
  const [small, large] = result!.stages![0]!.grid!;
  assert.ok(large!.loss! < small!.loss!);
  assert.equal(result!.learningRate, 0.5);
});

test('inputs that do not fit are refused in one message before anything is written', async (t) => {
  const mini = await textMiniature(t);
  const refused = async (changes: Readonly<Record<string, unknown>>, message: RegExp) => {
    const attempt = async () => mini.run(mini.experiment(changes), 'refused');
    await assert.rejects(attempt, (error) => error instanceof RequestError && message.test(error.message));
  };
  const anchor = (name: string, architecture: string, checkpoint = path.join(mini.folder, name)) => ({
    ...{ name, architecture, checkpoint },
  });
  await refused(
    { data: { kind: 'instructions', file: path.join(mini.folder, 'none.json') } },
    /none\.json is not there/,
  );
  await refused({ training: { batch_size: 16 } }, /8 training texts do not fill a batch/);
  await refused(
    { anchors: [anchor('S', 'llama'), anchor('B', 'llama_7b')] },
    /one vocabulary, received S \(420\), B \(32000\)/,
  );
  await refused(
    { anchors: [anchor('S', 'llama'), anchor('B', 'llama', '/nowhere')] },
    /\/nowhere\/config\.json cannot be read/,
  );
  await refused({ text: { cutoff: 257 } }, /text\.cutoff: expected at most 256, what anchor S can see, received 257/);
  await refused(
    { text: { cutoff: 8, train_on_inputs: false } },
    /cut off the answers of 8 of 8 training texts and 4 of 4 validation texts/,
  );
});
