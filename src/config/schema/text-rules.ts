/** What cannot be said of text together with the rest of an experiment. */
import type { Rule } from './consistency.js';
import { isTextDataset } from './dataset.js';
import { type ExperimentFields, stitchesAdaptedAnchors, trainsAllWeights } from './experiment-fields.js';
import { preprocessingSchema } from './sections.js';

/** A rule for experiments on text alone. */
function onText(
  needs: readonly string[],
  at: readonly PropertyKey[],
  problem: (experiment: ExperimentFields) => string | false | undefined,
): Rule<ExperimentFields> {
  return {
    needs: ['data', 'text', ...needs],
    at,
    problem: (experiment) => experiment.data.some(isTextDataset) && problem(experiment),
  };
}

export const textRules: readonly Rule<ExperimentFields>[] = [
  {
    needs: ['data', 'text'],
    at: ['text'],
    problem: ({ data, text }) =>
      text !== undefined &&
      !data.some(isTextDataset) &&
      `expected only beside data of the kinds instructions and word-tasks, received data of the kind ${data[0]!.kind}`,
  },
  onText([], ['data'], ({ data }) => {
    const other = data.find((dataset) => !isTextDataset(dataset));
    return other !== undefined && `expected texts or images, received both: ${other.name} has images`;
  }),
  onText(['sampling.stitches_per_step'], ['sampling', 'stitches_per_step'], ({ sampling }) => {
    const { stitches_per_step: count } = sampling;
    return count > 1 && `expected 1 for text, where a step is summed over micro batches, received ${count}`;
  }),
  onText(['training.patch_dropout'], ['training', 'patch_dropout'], ({ training }) => {
    const { patch_dropout: rate } = training;
    return rate > 0 && `expected 0 for text, which has no patches, received ${rate}`;
  }),
  onText(['preprocessing'], ['preprocessing'], ({ preprocessing }) => {
    const isGiven = JSON.stringify(preprocessing) !== JSON.stringify(preprocessingSchema.parse({}));
    return isGiven && 'expected nothing for text: it says how images are prepared';
  }),
  onText(['training.final_on'], ['training', 'final_on'], ({ training }) => {
    return training.final_on !== 'train' && 'expected train for text, which is validated on what is held out';
  }),
  onText(['evaluation.leave_out_beaten'], ['evaluation', 'leave_out_beaten'], ({ evaluation }) => {
    return evaluation.leave_out_beaten === true && 'expected false for text: stitches are compared image by image';
  }),
  onText(['evaluation.gradient_angles'], ['evaluation', 'gradient_angles'], ({ evaluation }) => {
    return evaluation.gradient_angles !== undefined && 'expected nothing for text: angles are measured on images';
  }),
  onText(['methods'], ['text', 'weights'], ({ methods, text }) => {
    const changing = methods.filter((method) => trainsAllWeights(method) || stitchesAdaptedAnchors(method));
    const is8bit = (text?.weights ?? '8bit') === '8bit';
    return (
      is8bit &&
      changing.length > 0 &&
      `expected float32 for ${changing.join(', ')}, which changes the weights, received 8bit`
    );
  }),
  onText(['training.batch_size'], ['text', 'micro_batch_size'], ({ text, training }) => {
    const micro = text?.micro_batch_size ?? 4;
    const { batch_size: batch } = training;
    return batch % micro !== 0 && `expected a divisor of training.batch_size (${batch}), received ${micro}`;
  }),
];
