/** What deployed stitches answer, of a trial of random weights: which, to what, and how it is shown. */
import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { greedy } from '../../../src/evaluation/generation/sampling.js';
import { answersOf, areCutShort, questionsIn, writeAnswers } from '../../../src/experiment/text/answers.js';
import {
  isLanguageRun,
  openDeployedLanguage,
  readTrainedLanguage,
} from '../../../src/experiment/text/deployed-language.js';
import { temporaryFolder } from '../../models/pretrained/fixtures.js';
import { writtenAnchors, writtenRun } from '../written-run.js';
import { textMiniature } from './text-miniature.js';

const questions = [
  { instruction: 'Say it.', input: '' },
  { instruction: 'Say it.', input: 'moon' },
];
const written = { classes: [] };

test('a variant of a study answers with its own ranks and alpha, not those of the file of the study', async (t) => {
  const mini = await textMiniature(t);
  const { run, trialFolder } = await writtenRun(path.join(mini.folder, 'run'), mini.document(), written);
  const scales = async () =>
    (await readTrainedLanguage(run)).architectures.map(({ blocks }) => blocks[0]!.adapted[0]!.scale);
  assert.deepEqual(await scales(), [16 / 2, 16 / 2], 'alpha by rank');
  const settings = { adaptation: { ranks: [4, 8] }, text: { alpha: 32 } };
  await writeFile(path.join(trialFolder, 'identity.json'), JSON.stringify({ settings }));
  assert.deepEqual(await scales(), [32 / 4, 32 / 8]);
});

test('an instruction that is too long is named before any is answered', async (t) => {
  const mini = await textMiniature(t);
  const { run } = await writtenRun(path.join(mini.folder, 'run'), mini.document(), written);
  const long = { instruction: 'Say it again and again. '.repeat(400), input: '' };
  const shown: string[] = [];
  const options = { sampling: greedy, maxTokens: 3, seed: 0, onText: (text: string) => void shown.push(text) };
  await assert.rejects(answersOf(mini.engine, run, run.result.stitches, [...questions, long], options), {
    name: 'RequestError',
    message: /^instruction 3, "Say it again and again\. Say it again and": a prompt of \d+ tokens/,
  });
  assert.deepEqual(shown, []);
});

test('each stitch answers each question by itself; pieces are shown without the prompt', async (t) => {
  const mini = await textMiniature(t);
  const { run, trialFolder } = await writtenRun(path.join(mini.folder, 'run'), mini.document(), written);
  const { stitches } = run.result;
  const shown: string[] = [];
  const options = { sampling: greedy, maxTokens: 3, seed: 0 };
  const onText = (text: string) => void shown.push(text);
  const answers = await answersOf(mini.engine, run, stitches, questions, { ...options, onText });
  assert.equal(answers.length, 2);
  for (const each of answers) {
    assert.deepEqual(
      each.map(({ id, path: parts, params }) => ({ id, path: parts, params })),
      stitches.map(({ id, path: parts, params }) => ({ id, path: parts, params })),
    );
    for (const { text, tokens, stopped, seconds_per_token: seconds } of each) {
      assert.ok(tokens <= 3 && (tokens === 3) === (stopped === 'length'), `${tokens} ${stopped}`);
      assert.ok(seconds >= 0);
      assert.equal(text, text.trim());
    }
  }
  // Stitch by stitch, and in each question by question.
  const order = stitches.flatMap((_, stitch) => questions.map((_, question) => answers[question]![stitch]!.text));
  assert.equal(shown.join('').replaceAll(/\s/g, ''), order.join('').replaceAll(/\s/g, ''));
  const { seconds_per_token: _, ...alone } = (
    await answersOf(mini.engine, run, [stitches[1]!], [questions[1]!], options)
  )[0]![0]!;
  const { seconds_per_token: __, ...among } = answers[1]![1]!;
  assert.deepEqual(alone, among);

  shown.length = 0;
  const searched = await answersOf(mini.engine, run, [stitches[0]!], questions, { ...options, onText, beams: 2 });
  assert.deepEqual(
    shown.map((text) => text.trim()),
    searched.map(([answer]) => answer!.text),
  );

  const stop = new AbortController();
  const cut = await answersOf(mini.engine, run, stitches, questions, {
    ...{ ...options, signal: stop.signal },
    onText: () => stop.abort(),
  });
  assert.deepEqual(
    cut.map((each) => each.length),
    [1, 0],
  );

  const answered = questions.map((question, index) => ({ ...question, answers: answers[index]! }));
  const file = await writeAnswers(run, { device: 'cpu', questions: answered });
  assert.equal(file, path.join(trialFolder, 'answers.json'));
  const content = JSON.parse(await readFile(file!, 'utf8'));
  assert.deepEqual(content, JSON.parse(JSON.stringify({ version: 1, device: 'cpu', questions: answered })));

  // What Ctrl-C has cut short does not take the place of what is whole.
  const short = questions.map((question, index) => ({ ...question, answers: cut[index]! }));
  const last = { ...answers[1]!.at(-1)!, stopped: 'interrupted' as const };
  const notWhole = [answered[0]!, { ...answered[1]!, answers: [...answers[1]!.slice(0, -1), last] }];
  for (const questions of [short, notWhole]) {
    assert.equal(areCutShort(questions, stitches.length), true);
    assert.equal(await writeAnswers(run, { device: 'gpu', questions }), undefined);
  }
  assert.equal(areCutShort(answered, stitches.length), false);
  assert.deepEqual(JSON.parse(await readFile(file!, 'utf8')), content);
});

test('a trial of language models is opened with its shapes; one of images is refused', async (t) => {
  const mini = await textMiniature(t);
  const document = mini.document({ text: { alpha: 6 } });
  const { run, space } = await writtenRun(path.join(mini.folder, 'run'), document, written);
  assert.equal(await isLanguageRun(run), true);
  const trained = await readTrainedLanguage(run);
  assert.deepEqual([trained.space, trained.layers.length], [space, space.stitchingLayers.length]);
  const identity = path.join(run.folder, 'trials', run.name, 'identity.json');
  await writeFile(identity, JSON.stringify({ texts: { tokenizer: '0123456789abcdef' } }));
  await assert.rejects(openDeployedLanguage(run), {
    message: /was trained with another vocabulary than .*tokenizer\.(json|model) holds now$/,
    hint: /^Put the tokenizer back/,
  });
  await rm(identity);
  const deployed = await openDeployedLanguage(run);
  const { stitch, shapes, weights } = deployed.merged(2);
  assert.deepEqual(stitch, space.stitches[2]);
  assert.deepEqual(
    shapes.map(({ config, scale }) => [config.width, scale]),
    [
      [16, 3], // alpha 6 over rank 2
      [24, 3],
    ],
  );
  assert.equal(weights.parts.length, 2);
  assert.ok(!('entry' in weights.parts[0]!) && 'entry' in weights.parts[1]!);
  const small = await openDeployedLanguage(run, '8bit');
  assert.throws(() => small.merged(2), /8 bits/);

  const plain = mini.document({
    adaptation: { ranks: [0, 0], stitching_layer_rank: 0 },
    text: { targets: ['q_proj'] },
  });
  const other = await writtenRun(path.join(mini.folder, 'plain'), plain, written);
  const unscaled = (await openDeployedLanguage(other.run)).merged(1);
  assert.deepEqual(
    unscaled.shapes.map(({ scale }) => scale),
    [1],
  );

  const images = { name: 'x', anchors: await writtenAnchors(mini.folder), data: { kind: 'species', classes: 2 } };
  const seen = await writtenRun(path.join(mini.folder, 'images'), { ...images, adaptation: { ranks: [2, 2] } });
  assert.equal(await isLanguageRun(seen.run), false);
  await assert.rejects(openDeployedLanguage(seen.run), {
    ...{ name: 'RequestError', message: /networks that read images/, hint: /esta predict IMAGE --run/ },
  });
});

test('lines of prompts begin after a byte order mark, and are UTF-8', async (t) => {
  const folder = temporaryFolder(t);
  const [marked, latin] = [path.join(folder, 'a.TXT'), path.join(folder, 'b.txt')];
  await writeFile(marked, '\ufeffSay it.\r\nSing.');
  assert.deepEqual(
    (await questionsIn(marked)).map(({ instruction }) => instruction),
    ['Say it.', 'Sing.'],
  );
  await writeFile(latin, Buffer.from('Caf\u00e9?', 'latin1'));
  await assert.rejects(questionsIn(latin), { name: 'RequestError', message: `${latin} is not UTF-8` });
});
