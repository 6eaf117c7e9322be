/** A whole pretraining of a language model: interrupted or not the same numbers, and a folder that can be generated from. */
import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { pretrainingSchema, type TextPretraining } from '../../../src/config/schema/pretraining.js';
import { createOnnxEngine } from '../../../src/engine/onnx/engine.js';
import { openModel } from '../../../src/evaluation/generation/open-model.js';
import { pretrainText } from '../../../src/experiment/pretrain/text/pretrain-text.js';
import { readSafetensors } from '../../../src/models/pretrained/formats/safetensors.js';
import { Interrupted, RequestError } from '../../../src/shared/errors.js';
import { readJsonLines } from '../../../src/shared/files.js';
import { silentProgress } from '../../../src/shared/progress.js';
import { Random } from '../../../src/shared/random.js';
import { temporaryFolder } from '../../models/pretrained/fixtures.js';

/** Words of random letters: enough of them for the 1,024 pieces of the named networks. */
function invented(): string {
  const random = Random.of(0, 'text');
  const letters = 'abcdefghijklmnop';
  const words = Array.from({ length: 300 }, () =>
    Array.from({ length: 5 }, () => letters[random.integer(letters.length)]).join(''),
  );
  return Array.from({ length: 600 }, () => words[random.integer(words.length)]).join(' ');
}

test('interrupted at every step a language model ends as uninterrupted; its folder is a model; it is not made twice', async (t) => {
  const folder = temporaryFolder(t);
  await writeFile(path.join(folder, 'words.txt'), invented());
  const engine = await createOnnxEngine({ threads: 1 });
  t.after(() => engine.dispose());
  const run = async (output: string, { signal = new AbortController().signal, training = {}, length = 16 } = {}) => {
    const config = pretrainingSchema.parse({
      name: 'smallest',
      data: { kind: 'plain-text', root: path.join(folder, 'words.txt'), length, validation_fraction: 0.2 },
      anchors: [{ name: 'S', architecture: 'llama_mini_small' }],
      training: { epochs: 2, warmup_epochs: 0, batch_size: 16, ...training },
      output: path.join(folder, output),
    });
    return pretrainText(config as TextPretraining, { engine, progress: silentProgress, signal });
  };
  const [first] = await run('first');
  const stopped = { signal: AbortSignal.abort() };
  let interruptions = 0;
  for (;;) {
    try {
      await run('second', stopped);
      break;
    } catch (error) {
      assert.ok(error instanceof Interrupted);
      interruptions++;
    }
  }
  assert.ok(interruptions > 1);
  for (const name of ['model.safetensors', 'tokenizer.json', 'config.json']) {
    const [one, other] = await Promise.all(
      ['first', 'second'].map((output) => readFile(path.join(folder, output, 'llama_mini_small', name))),
    );
    assert.deepEqual(one, other, name);
  }
  assert.ok(first!.loss > 5 && first!.loss < Math.log(1024) + 0.2);

  const { model, tokenizer } = await openModel(engine, first!.folder);
  assert.equal(tokenizer.size, 1024);
  assert.equal(model.contextLength, 256);
  model.dispose();

  assert.equal((await run('first'))[0]!.loss, Number(first!.loss.toFixed(4)));
  await assert.rejects(
    run('first', { training: { learning_rate: 1e-4 } }),
    (error) => error instanceof RequestError && /training\.learning_rate/.test(error.message),
  );
  await assert.rejects(run('third', { length: 512 }), /data\.length: expected at most 256/);
});

test('one network after the other, each with epochs and a rate of its own; what is there is not made again', async (t) => {
  const folder = temporaryFolder(t);
  const words = path.join(folder, 'words.txt');
  await writeFile(words, invented());
  const engine = await createOnnxEngine({ threads: 1 });
  t.after(() => engine.dispose());
  const shown: string[] = [];
  const progress = {
    ...silentProgress,
    start: (label: string) => void shown.push(label),
    line: (text: string) => void shown.push(text),
  };
  const output = path.join(folder, 'out');
  const run = async (changes: object = {}) => {
    const config = pretrainingSchema.parse({
      name: 'both',
      data: { kind: 'plain-text', root: words, length: 16, validation_fraction: 0.2 },
      anchors: [
        { name: 'S', architecture: 'llama_mini_small', epochs: 1, learning_rate: 1e-3 },
        { name: 'B', architecture: 'llama_mini_base' },
      ],
      training: { epochs: 2, warmup_epochs: 1, batch_size: 32, learning_rate: 5e-4, weight_decay: 0.1 },
      output,
      ...changes,
    });
    shown.length = 0;
    return pretrainText(config as TextPretraining, { engine, progress, signal: new AbortController().signal });
  };
  const folders = ['small', 'base'].map((size) => path.join(output, `llama_mini_${size}`));
  const results = await run();
  assert.deepEqual(
    results.map(({ name, folder, epochs }) => [name, folder, epochs]),
    [
      ['S', folders[0], 1],
      ['B', folders[1], 2],
    ],
  );
  assert.deepEqual([...new Set(shown)], ['learning the vocabulary', 'S pretraining', 'B pretraining']);
  const lines = await readJsonLines<Record<string, unknown>>(path.join(output, 'metrics.jsonl'));
  assert.deepEqual(
    lines.map(({ anchor, epoch }) => [anchor, epoch]),
    [
      ['S', 1],
      ['B', 1],
      ['B', 2],
    ],
  );
  assert.deepEqual(
    [lines[0]!['validation_loss'], lines[2]!['validation_loss']],
    results.map(({ loss }) => loss),
  );
  for (const { loss } of lines as { loss: number }[]) assert.ok(loss > 5 && loss < 8, `${loss}`); // ln 1024 = 6.9
  const training = { warmup_epochs: 1, batch_size: 32, weight_decay: 0.1 };
  for (const [index, expected] of [
    { epochs: 1, learning_rate: 1e-3, ...training },
    { epochs: 2, learning_rate: 5e-4, ...training },
  ].entries()) {
    assert.deepEqual((await readdir(folders[index]!)).sort(), ['config.json', 'model.safetensors', 'tokenizer.json']);
    const { metadata } = await readSafetensors(path.join(folders[index]!, 'model.safetensors'));
    assert.deepEqual([metadata['epochs'], metadata['loss']], [`${expected.epochs}`, results[index]!.loss.toFixed(4)]);
    const identity = JSON.parse(metadata['identity']!);
    assert.deepEqual([identity.training, identity.anchor.name], [expected, results[index]!.name]);
    const { content, ...data } = identity.data;
    assert.deepEqual(data, { kind: 'plain-text', length: 16, validation_fraction: 0.2 });
    assert.match(content, /^[0-9a-f]{16}$/);
  }

  const rounded = results.map((result) => ({ ...result, loss: Number(result.loss.toFixed(4)) }));
  assert.deepEqual([await run(), shown], [rounded, []]);
  await rm(path.join(folders[1]!, 'model.safetensors'));
  const [small, base] = await run();
  assert.deepEqual([small, base], [rounded[0], results[1]], 'the same numbers again');
  assert.ok(!shown.includes('S pretraining'));

  const refused = (message: RegExp) => ({ name: 'RequestError', message });
  const elsewhere = path.join(folder, 'elsewhere');
  await assert.rejects(
    run({ training: { warmup_epochs: 0, batch_size: 9999 }, output: elsewhere }),
    refused(/^\d+ sequences do not fill a batch of 9999$/),
  );
  const other = { name: '7B', architecture: 'llama_7b' };
  await assert.rejects(
    run({ anchors: [{ name: 'S', architecture: 'llama_mini_small' }, other], output: elsewhere }),
    refused(/one vocabulary, received llama_mini_small \(1024\) and llama_7b \(32000\)$/),
  );
  await writeFile(words, `${invented()} and more`);
  await assert.rejects(run(), refused(/llama_mini_small was pretrained in another way:\n {2}data\.content: /));
});

test('a text of too few words for the vocabulary is refused before anything is written', async (t) => {
  const folder = temporaryFolder(t);
  const [root, output] = [path.join(folder, 'words.txt'), path.join(folder, 'out')];
  await writeFile(root, 'the cat sat on the mat, and the dog sat beside it. '.repeat(99));
  const config = pretrainingSchema.parse({
    name: 'small',
    data: { kind: 'plain-text', root, length: 16, validation_fraction: 0.2 },
    anchors: [{ name: 'S', architecture: 'llama_mini_small' }],
    training: { epochs: 1, warmup_epochs: 0, batch_size: 16 },
    output,
  });
  const engine = await createOnnxEngine({ threads: 1 });
  t.after(() => engine.dispose());
  const runtime = { engine, progress: silentProgress, signal: new AbortController().signal };
  await assert.rejects(pretrainText(config as TextPretraining, runtime), {
    name: 'RequestError',
    message: /the text makes a vocabulary of \d{3} pieces, the networks have 1024/,
  });
  await assert.rejects(readdir(path.join(output, 'llama_mini_small')), { code: 'ENOENT' });
});
