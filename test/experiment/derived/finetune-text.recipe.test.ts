/** A stitch of language models that is trained further alone starts where shared training ended, and is used as any other. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import type { TextDatasetConfig } from '../../../src/config/schema/dataset.js';
import { tokenise } from '../../../src/data/instructions/tokenise.js';
import type { TextTokenizer } from '../../../src/data/text/tokenizer.js';
import { openDecoderFile } from '../../../src/engine/onnx/files/decoder-file.js';
import { findTrial } from '../../../src/experiment/deployed/found-trial.js';
import { type FinetuneRequest, finetune } from '../../../src/experiment/derived/finetune.js';
import { redeploy } from '../../../src/experiment/derived/redeploy.js';
import { openDeployedLanguage } from '../../../src/experiment/text/deployed-language.js';
import { exportAdapters } from '../../../src/experiment/text/export/adapters.js';
import { exportDecoder } from '../../../src/experiment/text/export/onnx.js';
import { loadInstructions } from '../../../src/experiment/text/text-data.js';
import { languageGainLines } from '../../../src/report/language/gain-view.js';
import { tableOneReference } from '../../../src/report/paper/table-one.js';
import { readReportContent } from '../../../src/report/report-content.js';
import { fingerprintOf } from '../../../src/run-folder/measured/measurement.js';
import { writeMachine } from '../../../src/run-folder/measured/measurements-folder.js';
import { Interrupted } from '../../../src/shared/errors.js';
import { silentProgress } from '../../../src/shared/progress.js';
import { esta } from '../../command-line.js';
import { machine } from '../../run-folder/measured/measured-fixture.js';
import { outcomeOf, watchedProgress } from '../miniature.js';
import { type TextMiniature, textMiniature } from '../text/text-miniature.js';

const data = { kind: 'word-tasks', train_texts: 8, validation_texts: 4, test_texts: 3 } as const;

test('a stitch of language models is trained alone in a folder of its own', async (t) => {
  const mini = await textMiniature(t);
  const experiment = mini.experiment({ text: { dropout: 0.1 }, training: { epochs: 1 }, data });
  const [shared] = await mini.run(experiment, 'run');
  const runFolder = path.join(mini.folder, 'run');
  const stitched = shared!.stitches.find(({ path }) => path.length === 2)!;
  const name = `word-tasks-esta-stitch-${stitched.id}-alone-seed0`;
  const { result, trial, tested } = await alone(mini, 'run', 'alone', stitched.id);
  const folder = path.join(mini.folder, 'alone');
  const made = await findTrial(folder);
  const [stitch] = result.stitches;
  const { shared: before, alone: after } = result.finetunedLanguage!;

  await t.test('from where shared training has ended; the rate with the lower validation loss is used', async () => {
    assert.deepEqual([trial, tested, stitch!.id], [name, 3, stitched.id]);
    assert.deepEqual(before, {
      validation: { accuracy: stitched.accuracy, loss: stitched.loss },
      test: stitched.test,
    });
    assert.deepEqual(after, { validation: { accuracy: stitch!.accuracy, loss: stitch!.loss }, test: stitch!.test });
    const [high, low] = result.stages![0]!.grid!;
    assert.deepEqual([high!.learningRate, low!.learningRate, result.learningRate], [0.5, 1e-6, 0.5]);
    assert.equal(after.validation.loss, high!.loss);
    assert.ok(high!.loss! < low!.loss! && low!.loss! <= before.validation.loss + 1e-4);
    const recipe = JSON.parse(await readFile(path.join(folder, 'trials', name, 'recipe.json'), 'utf8'));
    const { dropout, clipNorm, final } = recipe.stages[0];
    assert.deepEqual([dropout, clipNorm], [0.1, 1]);
    assert.deepEqual(final, { split: 'train', epochs: 2, steps: 4, warmupSteps: 0, decay: 'linear' });
  });

  await t.test('the file that is exported of it has the loss that was reported', async () => {
    const file = path.join(mini.folder, 'file', 'stitch.onnx');
    await exportDecoder(made, stitch!, file, 'float32');
    const { tokenizer } = await openDeployedLanguage(made);
    const loss = await lossOfFile(file, tokenizer, experiment.data[0] as TextDatasetConfig);
    assert.ok(Math.abs(loss - after.validation.loss) < 1e-3, `${loss} and ${after.validation.loss}`);
    assert.ok(Math.abs(after.validation.loss - before.validation.loss) > 5e-3, 'and not that of before');
    const { adapters } = await exportAdapters(made, stitch!, path.join(mini.folder, 'peft'));
    assert.deepEqual(
      adapters.map(({ anchor }) => anchor),
      ['S', 'B'],
    );
  });

  await t.test('stopped and resumed equals never stopped; once done it is read', async () => {
    for (const [part, step] of [
      [`grid of stitch-${stitched.id} at base rate 0.000001`, 1],
      [`alone-seed0, stitch-${stitched.id} at`, 3],
    ] as const) {
      const stopAt = (label: string, done: number) => label.includes(part) && done === step;
      await assert.rejects(alone(mini, 'run', 'stopped', stitched.id, stopAt), Interrupted, part);
    }
    const resumed = await alone(mini, 'run', 'stopped', stitched.id);
    assert.deepEqual(await outcomeOf(path.join(mini.folder, 'stopped'), name), await outcomeOf(folder, name));
    const again = await alone(mini, 'run', 'stopped', stitched.id, () => assert.fail('it is done'));
    assert.deepEqual(again.result, resumed.result);
  });

  await t.test('the commands say what was gained, and let the stitch answer', async () => {
    const rates = ['--rate', '0.5', '--rate', '1e-6'];
    const words = ['finetune', runFolder, '--stitch', String(stitched.id), '--epochs', '2', ...rates, '--out', folder];
    const done = await esta([...words, '--engine', 'onnxruntime']);
    assert.equal(done.status, 0, done.stderr);
    const lines = done.stdout.split('\n');
    assert.deepEqual(lines.slice(0, 3), languageGainLines(result));
    assert.match(lines.at(-2)!, /esta generate TEXT --run /);
    const { tables } = await readReportContent([folder], tableOneReference);
    assert.equal(tables.find(({ name }) => name === 'language-gain')!.rows[0]!.cells['after'], after.validation.loss);
    const answered = await esta(['generate', 'Say it.', '--run', folder, '--max-tokens', '2']);
    assert.equal(answered.status, 0, answered.stderr);
    assert.match(answered.stdout, new RegExp(`tokens of stitch ${stitched.id} `));
  });

  await t.test('trained further, it goes on from there; nothing is deployed anew by milliseconds', async () => {
    const further = await alone(mini, 'alone', 'further', stitched.id, undefined, { epochs: 1, rates: [0.1] });
    assert.deepEqual(further.result.finetunedLanguage!.shared, after);
    const run = await findTrial(runFolder);
    const stitches = [{ id: 0, flops: 1, latencies: [{ batch: 1, median_ms: 1 }] }];
    const measured = [{ trial: run.name, fingerprint: fingerprintOf(run.result), stitches }];
    await writeMachine(runFolder, { ...machine('phone'), trials: measured });
    const request = { out: path.join(mini.folder, 'on'), command: '' };
    await assert.rejects(redeploy(runtimeOf(mini), await findTrial(runFolder), request), {
      ...{ name: 'RequestError', message: /has trained language models, which are not deployed anew/ },
    });
  });
});

test('weights of 8 bits, and those that training changed, are found as shared training left them', async (t) => {
  const mini = await textMiniature(t);
  const training = { epochs: 1, anchor_epochs: 1 };
  const methods = ['sn-net', 'adapt-then-stitch'];
  const once = { epochs: 1, rates: [0.1] };
  await mini.run(mini.experiment({ methods, training }), 'whole');
  await mini.run(mini.experiment({ training, text: { weights: '8bit' } }), 'small');
  for (const [folder, method] of [...methods.map((method) => ['whole', method] as const), ['small', 'esta'] as const]) {
    const trial = `word-tasks-${method}-seed0`;
    const { stitches } = (await findTrial(path.join(mini.folder, folder), trial)).result;
    const { id, loss, accuracy } = stitches.find(({ path }) => path.length === 2) ?? stitches.at(-1)!;
    const { result } = await alone(mini, folder, `${method}-alone`, id, undefined, once, trial);
    const { shared, alone: after } = result.finetunedLanguage!;
    assert.deepEqual(shared, { validation: { accuracy, loss } }, method);
    assert.notEqual(after.validation.loss, loss, method);
  }
});

function runtimeOf({ engine, folder }: TextMiniature) {
  const { signal } = new AbortController();
  return { engine, progress: silentProgress, signal, cacheFolder: path.join(folder, 'cache') };
}

/** Trains a stitch of a run alone into a folder, until `isTime`; then it is stopped as by Ctrl-C. */
async function alone(
  mini: TextMiniature,
  from: string,
  out: string,
  stitch: number,
  isTime: (label: string, done: number) => boolean = () => false,
  changes: Partial<FinetuneRequest> = {},
  trial?: string,
) {
  const controller = new AbortController();
  const progress = watchedProgress((label, done) => {
    if (isTime(label, done)) controller.abort();
  });
  const request = { stitch, epochs: 2, rates: [0.5, 1e-6], command: '', out: path.join(mini.folder, out), ...changes };
  const run = await findTrial(path.join(mini.folder, from), trial);
  return finetune({ ...runtimeOf(mini), progress, signal: controller.signal }, run, request);
}

/** Mean cross-entropy of the learned tokens of the validation texts, by the logits of the file. */
async function lossOfFile(file: string, tokenizer: TextTokenizer, dataset: TextDatasetConfig): Promise<number> {
  const { validation } = await loadInstructions(dataset);
  const decoder = await openDecoderFile(file);
  let [sum, count] = [0, 0];
  for (const instruction of validation) {
    const { ids, labels } = tokenise(instruction, tokenizer, { cutoff: 64 });
    const logits = await decoder.begin().read([Array.from(ids)]);
    const vocabulary = logits.shape.at(-1)!;
    for (let token = 1; token < ids.length; token++) {
      if (labels[token]! < 0) continue;
      const row = Array.from(logits.data.subarray((token - 1) * vocabulary, token * vocabulary));
      sum += Math.log(row.reduce((total, logit) => total + Math.exp(logit), 0)) - row[labels[token]!]!;
      count++;
    }
  }
  await decoder.close();
  return sum / count;
}
