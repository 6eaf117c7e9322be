/** What is wrong with the inputs of an experiment on text, before anything is written, and what identifies them. */
import { createHash } from 'node:crypto';
import type { TextDatasetConfig } from '../../config/schema/dataset.js';
import type { TextExperiment } from '../../config/schema/experiment.js';
import { tokenise } from '../../data/instructions/tokenise.js';
import type { TextTokenizer } from '../../data/text/tokenizer.js';
import type { TextsIdentity } from '../../run-folder/identity/input-identity.js';
import { isExpected } from '../../shared/errors.js';
import { exists } from '../../shared/files.js';
import { commonTokenizer } from './language-anchors.js';
import { languageArchitectures } from './language-space.js';
import { type InstructionParts, loadInstructions } from './text-data.js';
import { hasLesson, noLessons } from './text-lessons.js';

/** One sentence each with what to do; [] where all can be trained. */
export async function textProblems(
  datasets: readonly TextDatasetConfig[],
  experiment: TextExperiment,
): Promise<string[]> {
  const problems: string[] = [];
  const { batch_size: batchSize } = experiment.training;
  const read = new Map<string, InstructionParts>();
  for (const dataset of datasets) {
    const label = `data set ${dataset.name}`;
    if (dataset.kind === 'instructions' && !(await exists(dataset.file))) {
      problems.push(`${label}: ${dataset.file} is not there`);
      continue;
    }
    const texts = await orProblem(loadInstructions(dataset));
    if ('problem' in texts) {
      problems.push(`${label}: ${texts.problem}`);
      continue;
    }
    read.set(label, texts);
    if (texts.train.length < batchSize) {
      problems.push(
        `${label}: ${texts.train.length} training texts do not fill a batch. Set training.batch_size, now ${batchSize}, to at most ${texts.train.length}, or hold out fewer.`,
      );
    }
  }
  const tokenizer = await orProblem(
    (async () => commonTokenizer(experiment.anchors, languageArchitectures(experiment)))(),
  );
  if ('problem' in tokenizer) return [...problems, tokenizer.problem];
  for (const [label, texts] of read) {
    const lost = lostSplits(texts, tokenizer, experiment);
    if (lost.length > 0) problems.push(`${label}: ${sentenceOf(noLessons(lost, experiment.text.cutoff))}`);
  }
  return problems;
}

/** Looks at texts up to the first of which something is learned, so that it takes long only where there is none. */
function lostSplits({ train, validation, test }: InstructionParts, tokenizer: TextTokenizer, { text }: TextExperiment) {
  const options = { cutoff: text.cutoff, trainOnInputs: text.train_on_inputs };
  return Object.entries({ training: train, validation, test })
    .filter(([, texts]) => texts.length > 0 && !texts.some((each) => hasLesson(tokenise(each, tokenizer, options))))
    .map(([split, { length: count }]) => ({ split, count }));
}

async function orProblem<T extends object>(task: Promise<T>): Promise<T | { readonly problem: string }> {
  try {
    return await task;
  } catch (error) {
    if (!isExpected(error)) throw error;
    return { problem: sentenceOf(error) };
  }
}

function sentenceOf({ message, hint }: { readonly message: string; readonly hint?: string | undefined }): string {
  return hint === undefined ? message : `${message}. ${hint}`;
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
