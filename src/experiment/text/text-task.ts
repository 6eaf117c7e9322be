/** The task of a trial on text. */
import type { TextDatasetConfig } from '../../config/schema/dataset.js';
import type { TextExperiment } from '../../config/schema/experiment.js';
import type { Trial } from '../../config/trials.js';
import { notesOn } from '../../data/instructions/notes.js';
import type { Progress } from '../../shared/progress.js';
import { recipeOf } from '../recipe.js';
import type { TrialTask } from '../task/trial-task.js';
import { commonTokenizer, loadLanguageAnchors } from './language-anchors.js';
import { languageSpace } from './language-space.js';
import { countTexts, loadInstructions, type TextTrialData, textTrialData } from './text-data.js';

/** @throws RequestError for instructions, tokenizers or anchors that cannot be used */
export async function textTaskOf(
  trial: Trial,
  dataset: TextDatasetConfig,
  experiment: TextExperiment,
  progress: Progress,
): Promise<TrialTask> {
  const instructions = await loadInstructions(dataset);
  const recipe = recipeOf(trial, countTexts(instructions));
  const { architectures, space } = languageSpace(experiment);
  const { anchors, seed, stitching } = recipe;
  const tell = (notes: readonly string[]) => {
    for (const note of notes) progress.line(`${dataset.name}: ${note}`);
  };
  let opened: Promise<TextTrialData> | undefined;
  const open = () => {
    opened ??= commonTokenizer(anchors, architectures).then((tokenizer) => {
      const data = textTrialData(recipe.texts!, instructions, tokenizer, { seed, fitTexts: stitching.fitImages });
      tell([...notesOn(instructions), ...data.notes]);
      return data;
    });
    return opened;
  };
  return {
    recipe,
    classes: [],
    open,
    async parts() {
      progress.start(`${trial.name}: reading the anchors`, 100 * anchors.length);
      const shown = (anchor: string, share: number) =>
        progress.update(100 * (anchors.findIndex(({ name }) => name === anchor) + share));
      const loaded = await loadLanguageAnchors(anchors, architectures, recipe.texts!.weights, shown);
      progress.stop();
      return { architectures, space, classes: architectures[0]!.classes, anchors: loaded };
    },
    fitInputs: async () => (await open()).fit,
  };
}
