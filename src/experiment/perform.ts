/** The story of `esta run` and `esta ablate`: engine, Ctrl-C, trials in one process or several, table. */
import path from 'node:path';
import type { Experiment } from '../config/schema/experiment.js';
import { startedForCuda } from '../engine/cuda/variables.js';
import { isGpuPlausible } from '../engine/doctor/gpu-presence.js';
import { createEngine } from '../engine/select.js';
import { renderRunSummary } from '../report/summary.js';
import type { TrialResult } from '../run-folder/result.js';
import { refuseOtherConfiguration } from '../run-folder/run-configuration.js';
import type { Device, EngineChoice } from '../shared/engine-names.js';
import { RequestError } from '../shared/errors.js';
import { defaultCacheFolder } from '../shared/folders/cache-folder.js';
import { interruptSignal } from '../shared/interrupt.js';
import { estaCommand, formatNextStep } from '../shared/next-step.js';
import { createProgress } from '../shared/progress.js';
import { itemsOfPlan } from './items/item.js';
import { largestOf, listItems } from './items/listing.js';
import { refuseWaiting, runThoseFirst } from './items/refuse-waiting.js';
import { describeOutcome, namedItems, type Outcome, openItems } from './items/run-items.js';
import { createJobsDisplay } from './jobs/display.js';
import { endedTrials } from './jobs/ended-trials.js';
import { checkJobs, jobsOf, mayUseGpus, placesOf, thisMachine } from './jobs/places.js';
import { runJobs } from './jobs/run-jobs.js';
import { planOf } from './plan.js';
import { nothingDone, runExperiment, type WhatToRun } from './runner.js';

export interface PerformOptions extends WhatToRun {
  readonly engine: EngineChoice;
  /** Default: the engine's own choice. */
  readonly device?: Device | undefined;
  /** Of each process, on a CPU; default all cores, or its share of them. */
  readonly threads?: number | undefined;
  /** Words of the command line, to be recorded. */
  readonly command: readonly string[];
}

export interface Performed<Document = { readonly run: string; readonly trials: readonly TrialResult[] }> {
  /** Table, files written and next command, for people. */
  readonly text: string;
  readonly exitStatus: 0 | 1;
  /** For `--json`. */
  readonly document: Document;
}

/**
 * All trials in this process, one after the other.
 * @throws RequestError, Interrupted
 */
export async function performExperiment(
  experiment: Experiment,
  { engine: choice, device, threads, command, ...what }: PerformOptions,
): Promise<Performed> {
  const signal = interruptSignal();
  const { precision } = experiment.training;
  const engine = await createEngine(choice, { device, threads, precision });
  const progress = createProgress(process.stderr);
  const options = { ...what, engine, progress, signal, command: estaCommand(...command) };
  const trials = await runExperiment(experiment, options).finally(() => engine.dispose());
  return summarised(what.runFolder, trials, trials.some(({ status }) => status === 'failed') ? 1 : 0);
}

/**
 * All trials in several processes on this machine.
 * @param jobs their number, or `auto`
 * @throws RequestError, Interrupted
 */
export async function performJobs(
  experiment: Experiment,
  { engine, device, threads, command, runFolder, variants = [], reuse = [] }: PerformOptions,
  jobs: string,
): Promise<Performed> {
  await refuseOtherConfiguration(runFolder, experiment, variants);
  const plan = await planOf(experiment, runFolder, variants);
  const items = itemsOfPlan(plan);
  const machine = thisMachine(mayUseGpus(engine, device, startedForCuda() || isGpuPlausible()));
  const work = items.filter(({ does }) => does !== 'training').length; // rates, and trials
  const largest =
    jobs === 'auto' ? largestOf(await listItems(experiment, runFolder, 1, variants)) : { processBytes: 0, stepMacs: 0 };
  const places = placesOf(
    machine,
    jobsOf(checkJobs(jobs), machine, { work, ...largest, ...(threads && { threads }) }),
    threads,
  );
  const surroundings = { runFolder, variants, reuse, cacheFolder: defaultCacheFolder() };
  const { failed, held, hasWorked } = await runJobs({
    assignment: { experiment, ...surroundings, engine, ...(device && { device }), command: estaCommand(...command) },
    ...{ items, places, signal: interruptSignal(), display: createJobsDisplay(process.stderr, places.length) },
  });
  if (held.length > 0 && !hasWorked) throw new RequestError(held.join('\n'), nothingDone);
  for (const sentence of held) createProgress(process.stderr).line(sentence);
  const trials = await endedTrials(runFolder, plan.trials, failed);
  return summarised(runFolder, trials, failed.size > 0 ? 1 : 0);
}

export interface ItemsDocument {
  readonly run: string;
  readonly items: readonly ({ readonly id: string } & Outcome)[];
}

/**
 * Some items in this process, in the order in which they are named.
 * @param only ids, names of trials, or positions in the list
 * @param isPatient waits for what an item waits for, and for other processes
 * @throws RequestError where one waits for others and this is not to wait, Interrupted
 */
export async function performItems(
  experiment: Experiment,
  { engine: choice, device, threads, command, runFolder, variants = [], reuse = [] }: PerformOptions,
  only: readonly string[],
  isPatient: boolean,
): Promise<Performed<ItemsDocument>> {
  const items = itemsOfPlan(await planOf(experiment, runFolder, variants));
  const ids = namedItems(items, only);
  if (!isPatient) {
    await refuseOtherConfiguration(runFolder, experiment, variants);
    await refuseWaiting(runFolder, items, ids);
  }
  const signal = interruptSignal();
  const progress = createProgress(process.stderr);
  const { precision } = experiment.training;
  const engine = await createEngine(choice, { device, threads, precision });
  try {
    const trials = new Set(ids.map((id) => items.find((item) => item.id === id)?.trial ?? id));
    const surroundings = {
      runFolder,
      variants,
      reuse,
      cacheFolder: defaultCacheFolder(),
      command: estaCommand(...command),
    };
    const opened = await openItems({ ...surroundings, experiment, items, trials, engine, progress, signal });
    const outcomes: ({ readonly id: string } & Outcome)[] = [];
    for (const id of ids) outcomes.push({ id, ...(await (isPatient ? opened.runPatiently(id) : opened.run(id))) });
    progress.stop();
    const stuck = outcomes.filter(({ state }) => state === 'waiting' || state === 'held');
    if (stuck.length > 0 && stuck.length === outcomes.length) {
      throw new RequestError(stuck.map(({ id, ...outcome }) => describeOutcome(id, outcome)).join('\n'), runThoseFirst);
    }
    return {
      text: outcomes.map(({ id, ...outcome }) => describeOutcome(id, outcome)).join('\n'),
      exitStatus: outcomes.every(({ state }) => state === 'finished') ? 0 : 1,
      document: { run: runFolder, items: outcomes },
    };
  } finally {
    await engine.dispose();
  }
}

async function summarised(runFolder: string, trials: readonly TrialResult[], exitStatus: 0 | 1): Promise<Performed> {
  const summary = await renderRunSummary(runFolder, process.stdout.columns);
  const folder = path.relative('.', runFolder) || '.';
  const next = formatNextStep({
    purpose: 'A page with the curve to explore:',
    command: estaCommand('report', folder, '--out', path.join(folder, 'report.html')),
  });
  return {
    text: [`${summary.text}\n`, ...summary.files, next].join('\n'),
    exitStatus,
    document: { run: runFolder, trials },
  };
}
