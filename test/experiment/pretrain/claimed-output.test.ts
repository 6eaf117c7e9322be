/** Two pretrainings do not write into one folder at once. */
import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { pretrainingSchema, type TextPretraining } from '../../../src/config/schema/pretraining.js';
import type { Engine } from '../../../src/engine/engine.js';
import { claimedOutput } from '../../../src/experiment/pretrain/claimed-output.js';
import { pretrainText } from '../../../src/experiment/pretrain/text/pretrain-text.js';
import { claimFolder, LostLock } from '../../../src/run-folder/lock.js';
import { writeAtomic } from '../../../src/shared/files.js';
import { silentProgress } from '../../../src/shared/progress.js';
import { temporaryFolder } from '../../data/official/temporary-folder.js';

const refusal = {
  name: 'RequestError',
  message: /out is being written by another pretraining, process \d+/,
  hint: /^Wait until .* same command again, or choose another folder with --set output=DIR\.$/,
};

test('a second pretraining is refused with who is at it; what has ended leaves no lock, what was stopped a free one', async (t) => {
  const output = path.join(await temporaryFolder(t), 'out');
  const second = () => claimedOutput(output, async () => 'second');
  const first = claimedOutput(output, async () => {
    await assert.rejects(second(), refusal);
    return 'first';
  });
  assert.equal(await first, 'first');
  assert.deepEqual(await readdir(output), []);
  const stopped = new Error('stopped');
  await assert.rejects(
    claimedOutput(output, () => Promise.reject(stopped)),
    stopped,
  );
  assert.deepEqual(await readdir(output), ['lock.1']);
  assert.equal(await second(), 'second');
  assert.deepEqual(await readdir(output), []);
});

test('whoever was taken over writes nothing more, into folders below neither', async (t) => {
  const output = await temporaryFolder(t);
  const below = path.join(output, 'network');
  const work = async () => {
    await writeFile(path.join(output, 'lock.2'), '{"host":"other","pid":1}');
    await writeAtomic(path.join(below, 'checkpoint'), 'x');
  };
  await assert.rejects(claimedOutput(output, work, [below]), LostLock);
  assert.deepEqual(await readdir(output), ['lock.1', 'lock.2']);
  await writeAtomic(path.join(below, 'checkpoint'), 'the guard has ended');
});

test('language models are not pretrained in a folder where another process is at it', async (t) => {
  const folder = await temporaryFolder(t);
  const [output, root] = ['out', 'words.txt'].map((name) => path.join(folder, name));
  await writeFile(root!, 'a few words');
  const config = pretrainingSchema.parse({
    ...{ name: 'x', output, data: { kind: 'plain-text', root } },
    anchors: [{ name: 'S', architecture: 'llama_mini_small' }],
  }) as TextPretraining;
  const engine = { name: 'onnxruntime', device: 'cpu, 2 threads', precision: 'float32' } as unknown as Engine;
  const runtime = { engine, progress: silentProgress, signal: new AbortController().signal };
  const lock = await claimFolder(output!, { heartbeatSeconds: 0 });
  assert.ok('release' in lock);
  await assert.rejects(pretrainText(config, runtime), refusal);
  await lock.release(true);
  assert.deepEqual(await readdir(output!), [], 'nothing was written');
});
