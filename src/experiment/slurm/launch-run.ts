/** From the flags of `esta run FILE --launcher slurm`, or of `esta ablate`, to the commands that jobs run. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Experiment } from '../../config/schema/experiment.js';
import type { Variant } from '../../config/trials.js';
import { refuseReuse } from '../../run-folder/reuse.js';
import { type Launched, launch } from './launch.js';
import { launcherOf } from './profile.js';

export interface LaunchFlags {
  /** Words that name the trials, as they were typed, for jobs start in the folder where they were: `run FILE`. */
  readonly naming: readonly string[];
  /** What an ablation compares; default: the experiment as it is. */
  readonly variants?: readonly Variant[];
  readonly runFolder: string;
  readonly isPrinted: boolean;
  readonly set: readonly string[];
  readonly reuse: readonly string[];
  readonly engine: string;
  readonly device?: string | undefined;
  readonly threads?: number | undefined;
}

const executable = fileURLToPath(new URL('../../cli.js', import.meta.url));

/** @throws RequestError where Slurm is not there or refuses a job, or a folder of `--reuse` holds no run, as each job would */
export async function launchRun(experiment: Experiment, flags: LaunchFlags): Promise<Launched> {
  const { naming, variants = [], runFolder, isPrinted, set, reuse, engine, device, threads } = flags;
  if (!isPrinted) await refuseReuse(reuse); // what is printed may be meant for another machine
  const { cpus } = await launcherOf(experiment);
  const esta = [process.execPath, executable];
  const command = [
    ...esta,
    ...naming,
    ...['--out', runFolder],
    ...set.flatMap((text) => ['--set', text]),
    ...reuse.flatMap((folder) => ['--reuse', folder]),
    ...['--engine', engine],
    ...(device === undefined ? [] : ['--device', device]),
    ...['--threads', String(threads ?? cpus)],
    '--wait', // the process of a lost node may hold its item for a while
  ];
  const report = [...esta, 'report', runFolder, '--out', path.join(runFolder, 'report.html')];
  return launch(experiment, { runFolder, command, report, isPrinted, variants });
}
