/**
 * `esta run FILE --dry-run`: the plan, and what the same command without the flag refuses before it trains. Whether weights
 * and data are still those of trials that a run folder has recorded, only the run tells.
 */
import type { Experiment } from '../config/schema/experiment.js';
import { trialsOf, type Variant } from '../config/trials.js';
import { refuseEngine } from '../engine/named-engine.js';
import { refuseReuse } from '../run-folder/reuse.js';
import { finishedResult } from '../run-folder/run-writer.js';
import type { Device, EngineChoice } from '../shared/engine-names.js';
import { checkedPlan } from './inputs.js';
import { checkJobs } from './jobs/places.js';
import { type Plan, planOf } from './plan.js';

export interface DryRunOptions {
  readonly runFolder: string;
  readonly variants: readonly Variant[];
  readonly reuse: readonly string[];
  readonly engine: EngineChoice;
  readonly device?: Device | undefined;
  readonly jobs?: string | undefined;
}

/**
 * Trains and writes nothing.
 * @throws RequestError as the run does
 * @returns also the exit status: see `checkedPlan`
 */
export async function dryRun(
  experiment: Experiment,
  { runFolder, variants, reuse, engine, device, jobs }: DryRunOptions,
): Promise<{ plan: Plan; exitStatus: 0 | 2 }> {
  if (jobs !== undefined) checkJobs(jobs);
  const finished = new Set<string>();
  for (const trial of trialsOf(experiment, variants)) {
    if (await finishedResult(runFolder, trial)) finished.add(trial.name);
  }
  const checked = await checkedPlan(
    await planOf(experiment, runFolder, variants, { finished, countsFolders: true }),
    experiment,
    variants,
  );
  if (checked.plan.trials.some(({ status }) => status !== 'finished')) await refuseReuse(reuse);
  await refuseEngine(engine, { device, precision: experiment.training.precision });
  return checked;
}
