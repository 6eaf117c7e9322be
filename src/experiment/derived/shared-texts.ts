/** The texts and language models of a trial that has ended. */
import type { TextDatasetConfig } from '../../config/schema/dataset.js';
import { isTextExperiment } from '../../config/schema/experiment.js';
import type { Trial } from '../../config/trials.js';
import type { TextsIdentity } from '../../run-folder/identity/input-identity.js';
import type { TrialResult } from '../../run-folder/result.js';
import { RequestError } from '../../shared/errors.js';
import type { Progress } from '../../shared/progress.js';
import type { TrialTask } from '../task/trial-task.js';
import { textsIdentity } from '../text/text-inputs.js';
import { textTaskOf } from '../text/text-task.js';

interface EndedTrial {
  readonly folder: string;
  readonly result: TrialResult;
  readonly progress: Progress;
}

/** @throws RequestError where texts or anchors are not there, and for a variant of a study */
export async function openTexts(
  trial: Trial,
  dataset: TextDatasetConfig,
  { folder, result, progress }: EndedTrial,
): Promise<{ readonly task: TrialTask; readonly identity: TextsIdentity }> {
  const { experiment } = trial;
  if (!isTextExperiment(experiment)) throw new Error(`${dataset.name} has texts in an experiment on images`);
  const { variant, finetunedLanguage } = result;
  if (variant !== undefined && !finetunedLanguage) {
    throw new RequestError(
      `${folder} is ${variant} of a study of language models, whose stitches are not trained further alone`,
      'Run the variant as an experiment of its own, and give that run.',
    );
  }
  const identity = await textsIdentity(dataset, experiment);
  return { identity, task: await textTaskOf(trial, dataset, experiment, progress) };
}
