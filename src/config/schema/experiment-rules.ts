/** What no field of an experiment can say alone. */
import { distinct, type Rule } from './consistency.js';
import { type ExperimentFields, trainsAllWeights } from './experiment-fields.js';
import { textRules } from './text-rules.js';

/** The methods that train as SN-Net does, for messages; empty where there is none. */
const snNetsOf = ({ methods }: ExperimentFields) => methods.filter(trainsAllWeights).join(' or ');

/** A number that may not exceed another one of the same file. */
function atMost(
  lower: readonly [section: string, name: string],
  upper: readonly [section: string, name: string],
  values: (experiment: ExperimentFields) => readonly [lower: number | undefined, upper: number | undefined],
): Rule<ExperimentFields> {
  return {
    needs: [lower.join('.'), upper.join('.')],
    at: lower,
    problem(experiment) {
      const [value = 0, limit = Number.POSITIVE_INFINITY] = values(experiment);
      return value > limit && `expected at most ${upper.join('.')} (${limit}), received ${value}`;
    },
  };
}

export const experimentRules: readonly Rule<ExperimentFields>[] = [
  distinct('seeds', 'seed', ({ seeds }) => seeds),
  distinct('methods', 'method', ({ methods }) => methods),
  distinct('anchors', 'anchor', ({ anchors }) => anchors.map(({ name }) => name)),
  distinct('data', 'data set', ({ data }) => data.map(({ name }) => name)),
  distinct('training.base_learning_rates', 'learning rate', ({ training }) => training.base_learning_rates),
  {
    needs: ['anchors', 'adaptation.ranks'],
    at: ['adaptation', 'ranks'],
    problem: ({ anchors, adaptation: { ranks } }) =>
      ranks.length !== anchors.length &&
      `expected ${anchors.length} ranks, one for each anchor (${anchors.map(({ name }) => name).join(', ')}), received ${ranks.length}`,
  },
  atMost(['preprocessing', 'crop'], ['preprocessing', 'resize'], ({ preprocessing: { crop, resize } }) => [
    crop,
    resize,
  ]),
  atMost(['training', 'warmup_epochs'], ['training', 'epochs'], ({ training }) => [
    training.warmup_epochs,
    training.epochs,
  ]),
  atMost(['sampling', 'warmup_epochs'], ['training', 'epochs'], ({ sampling, training }) => [
    sampling.warmup_epochs,
    training.epochs,
  ]),
  {
    needs: ['sampling.stitches_per_step', 'sampling.sandwich'],
    at: ['sampling', 'sandwich'],
    problem: ({ sampling }) =>
      sampling.sandwich &&
      sampling.stitches_per_step < 2 &&
      'expected false, or sampling.stitches_per_step of at least 2: the smallest stitch would be the only one that learns',
  },
  atMost(['sampling', 'stitches_per_step'], ['sampling', 'bins'], ({ sampling }) => [
    sampling.stitches_per_step,
    sampling.bins,
  ]),
  {
    needs: ['methods', 'evaluation.deploy_by'],
    at: ['evaluation', 'deploy_by'],
    problem: (experiment) =>
      experiment.evaluation.deploy_by === 'importance' &&
      snNetsOf(experiment) !== '' &&
      `expected validation, or nothing: ${snNetsOf(experiment)} has no importance scores to choose by, received importance`,
  },
  {
    needs: ['training.final_on', 'evaluation.deploy_by'],
    at: ['evaluation', 'deploy_by'],
    problem: ({ training, evaluation }) =>
      evaluation.deploy_by === 'validation' &&
      training.final_on === 'train+validation' &&
      'expected importance: with training.final_on train+validation the validation images have been learned',
  },
  {
    needs: ['methods', 'training.final_on'],
    at: ['methods'],
    problem: (experiment) =>
      snNetsOf(experiment) !== '' &&
      experiment.training.final_on === 'train+validation' &&
      `expected no ${snNetsOf(experiment)} with training.final_on train+validation: it deploys by accuracy on the validation images, which have been learned`,
  },
  {
    needs: ['training.final_on', 'evaluation.leave_out_beaten'],
    at: ['evaluation', 'leave_out_beaten'],
    problem: ({ training, evaluation }) =>
      evaluation.leave_out_beaten === true &&
      training.final_on === 'train+validation' &&
      'expected false: with training.final_on train+validation the validation images have been learned',
  },
  {
    needs: ['data', 'evaluation.gradient_angles'],
    at: ['evaluation', 'gradient_angles', 'source'],
    problem({ data, evaluation }) {
      const names = data.map(({ name }) => name);
      const unknown = evaluation.gradient_angles?.source.find((name) => !names.includes(name));
      return unknown !== undefined && `expected names of data sets (${names.join(', ')}), received ${unknown}`;
    },
  },
  ...textRules,
];
