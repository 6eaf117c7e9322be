/** `esta run FILE --launcher slurm`: submits what is left of an experiment, as arrays that wait for each other. */

import { mkdir } from 'node:fs/promises';
import type { Experiment } from '../../config/schema/experiment.js';
import type { Launcher } from '../../config/schema/launcher.js';
import type { Variant } from '../../config/trials.js';
import { refuseOtherConfiguration } from '../../run-folder/run-configuration.js';
import { counted } from '../../shared/costs/numbers.js';
import { RequestError } from '../../shared/errors.js';
import { explainWriteError } from '../../shared/files.js';
import { type Item, itemsOfPlan } from '../items/item.js';
import { statesOf } from '../items/states.js';
import { planOf } from '../plan.js';
import { largestArray, queued, submit } from './commands.js';
import { launcherOf } from './profile.js';
import { arrayScript, directivesOf, singleScript } from './script.js';
import { jobsOf, noteSubmitted, slurmFolder, tasksByItem } from './submitted.js';
import { splitArrays, type TaskGroup, taskGroups } from './tasks.js';

export interface LaunchRequest {
  readonly runFolder: string;
  /** What an ablation compares. */
  readonly variants?: readonly Variant[];
  /** Words of a command that runs items of this experiment, before `--only`: an absolute program, `run FILE ... --out DIR`. */
  readonly command: readonly string[];
  /** Words of a command that reports the run, once all have ended. */
  readonly report: readonly string[];
  /** Shows the scripts and submits nothing. */
  readonly isPrinted: boolean;
}

export interface Launched {
  readonly text: string;
  readonly document: {
    readonly run: string;
    readonly submitted: readonly { readonly job: string; readonly items: readonly (readonly string[])[] }[];
    /** Printed ones. */
    readonly scripts?: readonly { readonly options: readonly string[]; readonly script: string }[];
  };
}

interface Prepared {
  readonly group: TaskGroup;
  readonly script: string;
}

/** @throws RequestError where Slurm is not there or refuses a job; what was submitted before is noted and stays */
export async function launch(experiment: Experiment, request: LaunchRequest): Promise<Launched> {
  const { runFolder, isPrinted, variants } = request;
  refuseUnnamable(runFolder);
  await refuseOtherConfiguration(runFolder, experiment, variants);
  const launcher = await launcherOf(experiment);
  const items = itemsOfPlan(await planOf(experiment, runFolder, variants));
  const { underWay, isLeft } = await whatIsLeft(runFolder, items, isPrinted);
  const most = isPrinted ? await largestArray().catch(() => 1001) : await largestArray();
  const groups = taskGroups(items, isLeft).flatMap((group) => splitArrays(group, most));
  const surroundings = { name: `esta-${experiment.name}`, launcher, folder: slurmFolder(runFolder) };
  const prepared = groups.map(
    (group): Prepared => ({
      group,
      script: arrayScript({ ...surroundings, command: request.command, tasks: group.tasks }),
    }),
  );
  const report = singleScript({ ...surroundings, launcher: modest(launcher), command: request.report });
  return isPrinted
    ? printed(runFolder, prepared, underWay, report)
    : submitted(runFolder, launcher, prepared, underWay, report);
}

/** A directive is one line, and with a backslash in a name Slurm replaces nothing: all tasks would write one log, or none. */
function refuseUnnamable(runFolder: string): void {
  if (!/[\\\r\n]/.test(runFolder)) return;
  throw new RequestError(
    `run folder ${JSON.stringify(runFolder)}: Slurm names no log in a folder with a backslash or a line break in its path`,
    'Choose another one with --out DIR.',
  );
}

/** The report needs no GPU, and little else. */
function modest({ gpus: _, constraint: __, memory: ___, ...launcher }: Launcher): Launcher {
  return { ...launcher, cpus: 1 };
}

interface Left {
  /** The task that is queued or running for an item: "12_3". */
  readonly underWay: ReadonlyMap<string, string>;
  readonly isLeft: (id: string) => boolean;
}

async function whatIsLeft(runFolder: string, items: readonly Item[], isPrinted: boolean): Promise<Left> {
  const states = await statesOf(runFolder, items);
  const tasks = await tasksByItem(runFolder);
  // Where nothing is noted, nothing of it can be in the queue.
  const queue =
    tasks.size === 0
      ? new Map<string, string>()
      : await queued().catch((error: unknown) => {
          if (isPrinted) return new Map<string, string>();
          throw error;
        });
  const underWay = new Map([...tasks].filter(([, task]) => queue.has(task)));
  const isLeft = (id: string) => {
    const { state } = states.get(id)!;
    return state !== 'finished' && state !== 'running' && !underWay.has(id);
  };
  return { underWay, isLeft };
}

/** @param taskOf the task that brings an item about, where one does */
function dependency(waitsFor: readonly string[], taskOf: ReadonlyMap<string, string>): string[] {
  const tasks = [...new Set(waitsFor.flatMap((id) => taskOf.get(id) ?? []))];
  return tasks.length > 0 ? [`--dependency=afterok:${tasks.join(':')}`] : [];
}

async function submitted(
  runFolder: string,
  launcher: Launcher,
  prepared: readonly Prepared[],
  underWay: ReadonlyMap<string, string>,
  report: string,
): Promise<Launched> {
  if (prepared.length === 0) {
    const text = underWay.size > 0 ? 'All that is left is in the queue or under way.' : 'All items are finished.';
    return { text, document: { run: runFolder, submitted: [] } };
  }
  const folder = slurmFolder(runFolder);
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw explainWriteError(error, folder);
  });
  const taskOf = new Map(underWay);
  const jobs: { job: string; items: readonly (readonly string[])[] }[] = [];
  for (const { group, script } of prepared) {
    const job = await submit(script, dependency(group.waitsFor, taskOf), directivesOf(launcher));
    const tasks = group.tasks.map(({ items }) => items);
    await noteSubmitted(runFolder, { job, tasks, isArray: true });
    for (const [index, ids] of tasks.entries()) for (const id of ids) taskOf.set(id, `${job}_${index}`);
    jobs.push({ job, items: tasks });
  }
  const all = jobsOf(taskOf.values());
  const job = await submit(report, [`--dependency=afterany:${all.join(':')}`], directivesOf(modest(launcher)));
  await noteSubmitted(runFolder, { job, tasks: [['report']], isArray: false });
  const count = jobs.reduce((sum, { items }) => sum + items.length, 0);
  return {
    text: [
      `Submitted ${count} tasks in ${counted(jobs.length, 'array')}, and the report after them: ${[...jobs.map(({ job }) => job), job].join(', ')}`,
      `Logs: ${folder}`,
    ].join('\n'),
    document: { run: runFolder, submitted: [...jobs, { job, items: [['report']] }] },
  };
}

function printed(
  runFolder: string,
  prepared: readonly Prepared[],
  underWay: ReadonlyMap<string, string>,
  report: string,
): Launched {
  const taskOf = new Map(underWay);
  const scripts = prepared.map(({ group, script }, index) => {
    const options = dependency(group.waitsFor, taskOf);
    for (const [task, { items }] of group.tasks.entries())
      for (const id of items) taskOf.set(id, `JOB${index + 1}_${task}`);
    return { options, script };
  });
  const all = jobsOf(taskOf.values());
  const last = all.length > 0 ? [{ options: [`--dependency=afterany:${all.join(':')}`], script: report }] : [];
  const shown = [...scripts, ...last].map(({ options, script }) => `# ${['sbatch', ...options].join(' ')}\n${script}`);
  return {
    text: shown.length > 0 ? shown.join('\n') : 'All items are finished.',
    document: { run: runFolder, submitted: [], scripts: [...scripts, ...last] },
  };
}
