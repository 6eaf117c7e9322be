/** The experiment file as code reads it: its fields, the rules between them, and the defaults that follow from others. */
import type { z } from 'zod';
import { consistent } from './consistency.js';
import { isTextDataset } from './dataset.js';
import { experimentFields } from './experiment-fields.js';
import { experimentRules } from './experiment-rules.js';
import type { DeepReadonly } from './fields.js';
import { type TextConfig, textSchema } from './text.js';

/** Everything an experiment file may say, with the defaults that follow from other fields. Unknown keys are refused. */
export const experimentSchema = consistent(experimentFields, experimentRules).transform((experiment) => {
  const { epochs } = experiment.training;
  // Supplement A warms up for 10 of 100 epochs; shorter runs keep the proportion.
  const tenth = Math.round(epochs / 10);
  const isText = experiment.data.some(isTextDataset);
  return {
    ...experiment,
    ...(isText && { text: experiment.text ?? textSchema.parse({}) }),
    sampling: { ...experiment.sampling, warmup_epochs: experiment.sampling.warmup_epochs ?? tenth },
    training: {
      ...experiment.training,
      anchor_epochs: experiment.training.anchor_epochs ?? epochs,
      warmup_epochs: experiment.training.warmup_epochs ?? tenth,
      grid_epochs: Math.min(experiment.training.grid_epochs ?? epochs, epochs),
    },
  };
});

/** A checked experiment with all defaults filled in; names are those of the YAML file. */
export type Experiment = DeepReadonly<z.output<typeof experimentSchema>>;
/** An experiment on text. */
export type TextExperiment = Experiment & { readonly text: TextConfig };
export type Method = Experiment['methods'][number];
export type AnchorConfig = Experiment['anchors'][number];

export function isTextExperiment(experiment: Experiment): experiment is TextExperiment {
  return experiment.text !== undefined;
}
