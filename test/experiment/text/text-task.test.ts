/** What a trial on text tells of its texts, once. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import type { TextDatasetConfig } from '../../../src/config/schema/dataset.js';
import { experimentSchema, type TextExperiment } from '../../../src/config/schema/experiment.js';
import { trialsOf } from '../../../src/config/trials.js';
import { textTaskOf } from '../../../src/experiment/text/text-task.js';
import { silentProgress } from '../../../src/shared/progress.js';
import { temporaryFolder } from '../../models/pretrained/fixtures.js';

test('copies, empty answers and answers that are cut off are told with the name of the data set', async (t) => {
  const file = path.join(temporaryFolder(t), 'a.json');
  const entries = ['Say it.', 'Say it.', 'Say it.', 'Sing. '.repeat(100)].map((instruction) => ({
    instruction,
    output: 'x',
  }));
  await writeFile(file, JSON.stringify([...entries, { instruction: 'Hum.', output: '' }]));
  const experiment = experimentSchema.parse({
    name: 'x',
    anchors: ['llama_mini_small', 'llama_mini_base'].map((architecture) => ({ name: architecture, architecture })),
    data: { kind: 'instructions', name: 'mine', file, validation_texts: 1, validation_seed: 0 },
    adaptation: { ranks: [2, 2] },
    text: { cutoff: 128, train_on_inputs: false, micro_batch_size: 2 },
    training: { epochs: 1, batch_size: 4, base_learning_rates: [0.1] },
  }) as TextExperiment;
  const lines: string[] = [];
  const progress = { ...silentProgress, line: (text: string) => void lines.push(text) };
  const [dataset] = experiment.data as TextDatasetConfig[];
  const task = await textTaskOf(trialsOf(experiment)[0]!, dataset!, experiment, progress);
  await task.open();
  await task.open();
  assert.deepEqual(lines, [
    'mine: 1 of 1 validation texts are training texts too, so that the validation loss flatters; remove duplicates',
    'mine: the output of 1 of 5 entries is empty, which teaches no answer; remove them',
    'mine: text.cutoff: 128 tokens cut off the answers of 1 of 4 training texts, of which nothing is learned or measured; raise it to use them',
  ]);
});
