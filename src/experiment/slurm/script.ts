/** The shell script of a Slurm array: what is asked for, what a task runs, and what it does when it is told to stop. */
import type { Launcher } from '../../config/schema/launcher.js';
import { quoted } from '../../shared/next-step.js';
import type { Task } from './tasks.js';

export interface ScriptRequest {
  readonly name: string;
  readonly launcher: Launcher;
  /** Folder of logs, and of the counts of requeues; it exists before a job starts, or Slurm drops the logs. */
  readonly folder: string;
  /** Words of the command that `--only ID` is added to. */
  readonly command: readonly string[];
  readonly tasks: readonly Pick<Task, 'only'>[];
}

/** The options of sbatch that a launcher asks for, with the key that each comes from. */
export function directivesOf(launcher: Launcher): { readonly option: string; readonly from: string }[] {
  const { partition, account, time, memory, cpus, gpus, constraint, directives } = launcher;
  const given: readonly (readonly [string, string, string | number | undefined])[] = [
    ['partition', 'partition', partition],
    ['account', 'account', account],
    ['time', 'time', time],
    ['memory', 'mem', memory],
    ['cpus', 'cpus-per-task', cpus],
    ['gpus', 'gpus', gpus],
    ['constraint', 'constraint', constraint],
  ];
  const named = given.flatMap(([key, option, value]) =>
    value === undefined ? [] : [{ option: `--${option}=${value}`, from: `launcher.${key}` }],
  );
  return [...named, ...directives.map((option) => ({ option, from: 'launcher.directives' }))];
}

/** An array script, of which task N runs the N-th of `tasks`. */
export function arrayScript({ name, launcher, folder, command, tasks }: ScriptRequest): string {
  const { warning_seconds, max_requeues, setup } = launcher;
  return `${header(name, launcher, logIn(folder, '%A_%a.log'))}
#SBATCH --array=0-${tasks.length - 1}
#SBATCH --requeue
#SBATCH --signal=B:USR2@${warning_seconds}

tasks=(
${tasks.map(({ only }) => `  ${quoted(only.join(' '))}`).join('\n')}
)
only=()
for id in \${tasks[$SLURM_ARRAY_TASK_ID]}; do only+=(--only "$id"); done
job=\${SLURM_ARRAY_JOB_ID}_\${SLURM_ARRAY_TASK_ID}
requeues=${quoted(folder)}/$job.requeues
# USR2 is the warning before the time limit, TERM a preemption or scancel. Slurm tells this shell, which tells the program.
stop=
child=
early=
tell() { if [ -n "$child" ]; then kill -$1 $child; else early=$1; fi; }
trap 'stop=limit; tell USR2' USR2
trap 'stop=\${stop:-preempted}; tell TERM' TERM
${setup.map((line) => `${line}\n`).join('')}
status=75 # stopped before it began
if [ -z "$stop" ]; then
  ${command.map(quoted).join(' ')} "\${only[@]}" &
  child=$!
  # A signal between these lines; one that the program gets while it is loaded would be lost.
  [ -z "$early" ] || { sleep 1; kill -$early $child; }
  # A trap ends the wait, not the program.
  while wait $child; status=$?; [ $status -gt 128 ] && kill -0 $child 2>/dev/null; do :; done
fi

if [ $status -ne 0 ] && [ "$stop" = limit ]; then
  if [ "$(cat "$requeues" 2>/dev/null | wc -l)" -lt ${max_requeues} ]; then
    echo "$(date -Is) time limit" >> "$requeues"
    scontrol requeue $job
  else
    echo "queued again ${max_requeues} times by its time limit: see launcher.max_requeues" >&2
  fi
elif [ $status -ne 0 ] && [ "$stop" = preempted ]; then
  scontrol show job -o $job | grep -Eq 'JobState=CANCELLED' || scontrol requeue $job
fi
exit $status
`;
}

/** A script that runs one command once others are done. */
export function singleScript({ name, launcher, folder, command }: Omit<ScriptRequest, 'tasks'>): string {
  const { setup } = launcher;
  return `${header(name, launcher, logIn(folder, '%j.log'))}

${setup.map((line) => `${line}\n`).join('')}${command.map(quoted).join(' ')}
`;
}

/** A log as a directive names it: Slurm replaces what follows a %, and sbatch reads blanks, quotes and # in its own way. */
function logIn(folder: string, name: string): string {
  const file = `${folder.replaceAll('%', '%%')}/${name}`;
  return /[\s#'"]/.test(file) ? `"${file.replaceAll('"', '\\"')}"` : file;
}

function header(name: string, launcher: Launcher, log: string): string {
  return [
    '#!/bin/bash',
    `#SBATCH --job-name=${name}`,
    `#SBATCH --output=${log}`,
    '#SBATCH --open-mode=append',
    '#SBATCH --kill-on-invalid-dep=yes',
    ...directivesOf(launcher).map(({ option }) => `#SBATCH ${option}`),
  ].join('\n');
}
