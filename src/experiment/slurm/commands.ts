/** The commands of Slurm that are called, and how their answers read. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { RequestError } from '../../shared/errors.js';

const execute = promisify(execFile);

interface Failed {
  readonly code?: string | number;
  readonly stderr?: string;
  readonly message: string;
}

async function call(program: string, args: readonly string[], input?: string): Promise<string> {
  const running = execute(program, [...args], { maxBuffer: 2 ** 28 });
  running.child.stdin?.on('error', () => {}); // it may end without reading
  running.child.stdin?.end(input ?? '');
  return (await running).stdout;
}

function notInstalled(program: string): RequestError {
  return new RequestError(
    `${program} is not installed here`,
    'Run this on a login node of the cluster, or add --print to see what would be submitted.',
  );
}

/** Tasks that an array may have at most: MaxArraySize is one more than the largest index. Default 1001 (Slurm's own). */
export async function largestArray(): Promise<number> {
  const shown = await call('scontrol', ['show', 'config']).catch((error: Failed) => {
    if (error.code === 'ENOENT') throw notInstalled('scontrol');
    return '';
  });
  return Number(/^MaxArraySize\s*=\s*(\d+)/m.exec(shown)?.[1] ?? 1001);
}

/**
 * Submits a script.
 * @returns the number of the job
 * @throws RequestError with what sbatch says, and the directive that it means, where it can be told
 */
export async function submit(
  script: string,
  options: readonly string[],
  directives: readonly { readonly option: string; readonly from: string }[],
): Promise<string> {
  try {
    const [job] = (await call('sbatch', ['--parsable', ...options], script)).trim().split(';');
    return job!;
  } catch (failed) {
    const { code, stderr = '', message } = failed as Failed;
    if (code === 'ENOENT') throw notInstalled('sbatch');
    const said = stderr.trim() || message;
    const meant = directives.filter(({ option }) => isAbout(said, option));
    const shown = (meant.length > 0 ? meant : directives).map(({ option, from }) => `  ${from}: ${option}`);
    throw new RequestError(
      `sbatch refused the job: ${said}\n${shown.join('\n')}`,
      'Correct it in the launcher section of the experiment file, or in the profile; what was submitted before stays.',
    );
  }
}

/** "invalid partition specified: nope" is about --partition=nope, "unrecognized option '--foo'" about --foo. */
function isAbout(said: string, option: string): boolean {
  const [name, value] = option.replace(/^--/, '').split('=') as [string, string?];
  const text = said.toLowerCase();
  const topic = name === 'mem' ? 'memory' : name === 'cpus-per-task' ? 'cpu' : name;
  return (
    text.includes(`--${name}`) ||
    text.includes(topic) ||
    (value !== undefined && value.length > 2 && text.includes(value))
  );
}

/** State by task ("12_3") or job ("12") of what is in the queue: PENDING, RUNNING, ... */
export async function queued(): Promise<Map<string, string>> {
  const shown = await call('squeue', ['--noheader', '--array', '--me', '--format=%i|%T|%r']).catch((error: Failed) => {
    if (error.code === 'ENOENT') throw notInstalled('squeue');
    throw new RequestError(`squeue failed: ${(error.stderr ?? error.message).trim()}`, 'Try again later.');
  });
  return states(shown, (state, reason) => (state === 'PENDING' && reason ? `${state} (${reason})` : state));
}

/** State by task or job of what has ended; undefined where the cluster keeps no accounts. */
export async function ended(jobs: readonly string[]): Promise<Map<string, string> | undefined> {
  const args = ['--noheader', '--parsable2', '--allocations', '--format=JobID,State', `--jobs=${jobs.join(',')}`];
  return call('sacct', args).then(states, () => undefined);
}

function states(lines: string, describe = (state: string, _reason?: string) => state): Map<string, string> {
  const rows = lines.split('\n').filter((line) => line !== '');
  return new Map(
    rows.map((line) => {
      const [id, state, reason] = line.split('|') as [string, string, string?];
      return [id, describe(state, reason)];
    }),
  );
}
