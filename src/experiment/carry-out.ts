/** What `esta run` and `esta ablate` do with an experiment, by their flags. Each way loads what it needs, and no more. */
import type { Experiment } from '../config/schema/experiment.js';
import type { Variant } from '../config/trials.js';
import type { Device, EngineChoice } from '../shared/engine-names.js';
import type { Performed, PerformOptions } from './perform.js';

/** What was asked for: at most one of the ways to see it, or to divide it. */
export interface CarryOutFlags {
  readonly set: readonly string[];
  readonly reuse: readonly string[];
  readonly engine: EngineChoice;
  readonly device?: Device | undefined;
  readonly threads?: number | undefined;
  readonly jobs?: string | undefined;
  readonly list: boolean;
  readonly workers?: number | undefined;
  readonly only: readonly string[];
  readonly wait: boolean;
  readonly launcher?: 'slurm' | undefined;
  readonly print: boolean;
  readonly status: boolean;
  readonly 'dry-run': boolean;
}

/** The trials, and the command that asks for them. */
export interface Asked {
  readonly experiment: Experiment;
  /** What an ablation compares; []: the experiment as it is. */
  readonly variants: readonly Variant[];
  readonly runFolder: string;
  /** As it was typed, to be recorded. */
  readonly command: readonly string[];
  /** The words of it that name the trials, for jobs that run items of them: `run FILE`. */
  readonly naming: readonly string[];
}

/** For people, for `--json`, and for the shell. */
export type CarriedOut = Omit<Performed<unknown>, 'exitStatus'> & { readonly exitStatus: 0 | 1 | 2 };

/** @throws RequestError, Interrupted */
export async function carryOut(asked: Asked, flags: CarryOutFlags): Promise<CarriedOut> {
  if (flags['dry-run']) return planned(asked, flags);
  if (flags.status) return statusOf(asked);
  if (flags.launcher !== undefined) return launched(asked, flags);
  return flags.list ? listed(asked, flags) : performed(asked, flags);
}

async function planned({ experiment, variants, runFolder }: Asked, flags: CarryOutFlags): Promise<CarriedOut> {
  const { formatPlan } = await import('./plan.js');
  const { dryRun } = await import('./dry-run.js');
  const { plan, exitStatus } = await dryRun(experiment, { ...flags, variants, runFolder });
  return { text: formatPlan(plan), exitStatus, document: plan };
}

async function statusOf({ experiment, variants, runFolder }: Asked): Promise<CarriedOut> {
  const { clusterStatus, formatStatus } = await import('./slurm/status.js');
  const status = await clusterStatus(experiment, runFolder, variants);
  return { text: formatStatus(status, process.stdout.columns), exitStatus: 0, document: status };
}

async function launched(
  { experiment, variants, runFolder, naming }: Asked,
  { print: isPrinted, ...flags }: CarryOutFlags,
): Promise<CarriedOut> {
  const { launchRun } = await import('./slurm/launch-run.js');
  const { text, document } = await launchRun(experiment, { ...flags, naming, variants, runFolder, isPrinted });
  return { text, exitStatus: 0, document };
}

async function listed(
  { experiment, variants, runFolder }: Asked,
  { workers, threads = 1 }: CarryOutFlags,
): Promise<CarriedOut> {
  const { formatListing, listItems } = await import('./items/listing.js');
  const listing = await listItems(experiment, runFolder, threads, variants);
  if (workers === undefined) {
    return { text: formatListing(listing, process.stdout.columns), exitStatus: 0, document: listing };
  }
  const { forecastOf, formatForecast } = await import('./items/forecast.js');
  const forecast = forecastOf(listing, { workers, checkpointMinutes: experiment.training.checkpoint_minutes });
  return { text: formatForecast(forecast), exitStatus: 0, document: { ...listing, forecast } };
}

/** The words without the items that they single out: what is recorded goes on with the whole run. */
function withoutItems(words: readonly string[]): string[] {
  return words.filter(
    (word, at) => words[at - 1] !== '--only' && word !== '--only' && word !== '--wait' && !word.startsWith('--only='),
  );
}

async function performed(
  { experiment, variants, runFolder, command }: Asked,
  { engine, device, threads, reuse, only, wait, jobs }: CarryOutFlags,
): Promise<CarriedOut> {
  const { performExperiment, performItems, performJobs } = await import('./perform.js');
  const whole = withoutItems(command);
  const options: PerformOptions = { runFolder, engine, device, threads, reuse, command: whole, variants };
  if (only.length > 0) return performItems(experiment, options, only, wait);
  return jobs === undefined ? performExperiment(experiment, options) : performJobs(experiment, options, jobs);
}
