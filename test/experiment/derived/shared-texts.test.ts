import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TextDatasetConfig } from '../../../src/config/schema/dataset.js';
import { experimentSchema } from '../../../src/config/schema/experiment.js';
import { trialsOf } from '../../../src/config/trials.js';
import { openTexts } from '../../../src/experiment/derived/shared-texts.js';
import type { TrialResult } from '../../../src/run-folder/result.js';
import { silentProgress } from '../../../src/shared/progress.js';

test('a variant of a study is refused before anything is read: its networks are not those of the experiment file', async () => {
  const experiment = experimentSchema.parse({
    name: 'x',
    anchors: ['llama_7b', 'llama_13b'].map((name) => ({ name, architecture: name, checkpoint: `/nowhere/${name}` })),
    data: { kind: 'word-tasks' },
    adaptation: { ranks: [8, 8] },
  });
  const trial = trialsOf(experiment)[0]!;
  const attempt = (result: Partial<TrialResult>) =>
    openTexts(trial, trial.dataset as TextDatasetConfig, {
      ...{ folder: 'runs/study/trials/a', result: result as TrialResult, progress: silentProgress },
    });
  await assert.rejects(attempt({ variant: 'rank 4' }), {
    ...{ name: 'RequestError', hint: 'Run the variant as an experiment of its own, and give that run.' },
    message:
      'runs/study/trials/a is rank 4 of a study of language models, whose stitches are not trained further alone',
  });
  await assert.rejects(attempt({}), { name: 'RequestError', message: /\/nowhere\/llama_7b/ });
});
