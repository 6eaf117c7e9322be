/** An ablation of an experiment, ready to be run: its name, its seeds, and the variants that the experiment allows. */
import { brokenRules } from '../../config/schema/consistency.js';
import type { Experiment } from '../../config/schema/experiment.js';
import type { ExperimentFields } from '../../config/schema/experiment-fields.js';
import { experimentRules } from '../../config/schema/experiment-rules.js';
import type { Variant } from '../../config/trials.js';
import { RequestError } from '../../shared/errors.js';
import { type AblationName, ablations } from './ablation.js';

export interface Study {
  readonly experiment: Experiment;
  readonly variants: readonly Variant[];
  /** Variants that the experiment rules out, and why: "SN-Net for 3 epochs: text.weights: expected ...". */
  readonly leftOut: readonly string[];
}

/**
 * The experiment of a study: named after it, ESTA unless a variant says otherwise, and with `seeds` seeds from the first
 * one of the file on, where the file does not list several itself.
 * @throws RequestError where the experiment leaves no two variants to compare
 */
export function studyOf(name: AblationName, experiment: Experiment, seeds: number): Study {
  const first = experiment.seeds[0]!;
  const several = experiment.seeds.length > 1;
  const base: Experiment = {
    ...experiment,
    // A file that was written for the study has its name already.
    name: experiment.name.endsWith(`ablation-${name}`) ? experiment.name : `${experiment.name}-ablate-${name}`,
    methods: ['esta'],
    seeds: several ? experiment.seeds : Array.from({ length: seeds }, (_, index) => first + index),
  };
  const checked = ablations[name].variants(base).map((variant) => ({
    variant,
    // A file that said the same would be refused.
    problems: brokenRules(experimentRules, variant.experiment as ExperimentFields),
  }));
  const variants = checked.filter(({ problems }) => problems.length === 0).map(({ variant }) => variant);
  const leftOut = checked.flatMap(({ variant, problems }) => problems.map((problem) => `${variant.name}: ${problem}`));
  if (variants.length > 1) return { experiment: base, variants, leftOut };
  const list = leftOut.map((text) => `\n  ${text}`).join('');
  throw new RequestError(
    `the study ${name} compares nothing with these settings:${list}`,
    'Change them with --set path=value.',
  );
}
