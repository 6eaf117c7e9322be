/** A whole pretraining of a language model: interrupted or not the same numbers, and a folder that can be generated from. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { pretrainingSchema, type TextPretraining } from '../../../src/config/schema/pretraining.js';
import { createOnnxEngine } from '../../../src/engine/onnx/engine.js';
import { openModel } from '../../../src/evaluation/generation/open-model.js';
import { pretrainText } from '../../../src/experiment/pretrain/text/pretrain-text.js';
import { Interrupted, RequestError } from '../../../src/shared/errors.js';
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
