/** What is wrong with the inputs of an experiment on text, before anything is written, and what identifies them. */
import { createHash } from 'node:crypto';
import type { TextDatasetConfig } from '../../config/schema/dataset.js';
import type { TextExperiment } from '../../config/schema/experiment.js';
import type { TextsIdentity } from '../../run-folder/identity/input-identity.js';
import { isExpected } from '../../shared/errors.js';
import { exists } from '../../shared/files.js';
import { commonTokenizer } from './language-anchors.js';
import { languageArchitectures } from './language-space.js';
import { loadInstructions } from './text-data.js';

/** One sentence each with what to do; [] where all can be trained. */
export async function textProblems(
  datasets: readonly TextDatasetConfig[],
  experiment: TextExperiment,
): Promise<string[]> {
  const problems: string[] = [];
  const { batch_size: batchSize } = experiment.training;
  for (const dataset of datasets) {
    const label = `data set ${dataset.name}`;
    if (dataset.kind === 'instructions' && !(await exists(dataset.file))) {
      problems.push(`${label}: ${dataset.file} is not there`);
      continue;
    }
    const texts = await orProblem(loadInstructions(dataset));
    if ('problem' in texts) problems.push(`${label}: ${texts.problem}`);
    else if (texts.train.length < batchSize) {
      problems.push(
        `${label}: ${texts.train.length} training texts do not fill a batch. Set training.batch_size, now ${batchSize}, to at most ${texts.train.length}, or hold out fewer.`,
      );
    }
  }
  const tokenizer = await orProblem(
    (async () => commonTokenizer(experiment.anchors, languageArchitectures(experiment)))(),
  );
  return 'problem' in tokenizer ? [...problems, tokenizer.problem] : problems;
}

async function orProblem<T extends object>(task: Promise<T>): Promise<T | { readonly problem: string }> {
  try {
    return await task;
  } catch (error) {
    if (!isExpected(error)) throw error;
    return { problem: error.hint === undefined ? error.message : `${error.message}. ${error.hint}` };
  }
}

/** @throws RequestError where the texts or the tokenizer are not there */
export async function textsIdentity(dataset: TextDatasetConfig, experiment: TextExperiment): Promise<TextsIdentity> {
  const { train, validation, test } = await loadInstructions(dataset);
  const tokenizer = await commonTokenizer(experiment.anchors, languageArchitectures(experiment));
  const content = createHash('sha256')
    .update(JSON.stringify([train, validation, ...(test.length > 0 ? [test] : [])]))
    .digest('hex')
    .slice(0, 16);
  const tested = test.length > 0 ? { test: test.length } : {};
  return { train: train.length, validation: validation.length, ...tested, content, tokenizer: tokenizer.fingerprint };
}
