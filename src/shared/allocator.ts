/**
 * Keeps the C library from giving memory back to the system between training steps. A step allocates and frees hundreds of
 * megabytes; glibc returns them at once, and every page that comes back costs a fault: without these settings the
 * quickstart's steps take 2.3 times as long. glibc reads them only when a process starts, so the process starts itself
 * again, as a child that this one waits for. Not in its own place (process.execve): a process that waits can answer Ctrl-C while
 * a step keeps the other one's only thread busy.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { onSavingSteps, stoppingAnswer } from './interrupt.js';

const tunables = {
  'glibc.malloc.mmap_threshold': 2 ** 25, // the most that glibc accepts; above it every block is a mapping of its own
  'glibc.malloc.trim_threshold': 2 ** 34,
  'glibc.malloc.top_pad': 2 ** 26,
  'glibc.malloc.hugetlb': 1, // huge pages where the system allows them on request
};

/** Commands that compute for long. */
const computing = new Set(['run', 'pretrain', 'ablate', 'bench', 'generate']);

/**
 * @param variables others that the process of this command needs from its start
 * @returns true: another process has done the whole command, and this one has its exit status; false: go on in this one
 */
export async function ranInTunedProcess(
  [command = '', ...rest]: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<boolean> {
  const isLong =
    process.platform === 'linux' && computing.has(command) && !rest.includes('--help') && !rest.includes('-h');
  const settings = Object.entries(tunables).map(([name, value]) => `${name}=${value}`);
  const isTuned = process.env['GLIBC_TUNABLES'] !== undefined;
  const wanted = { ...variables, ...(isLong && !isTuned && { GLIBC_TUNABLES: settings.join(':') }) };
  if (Object.keys(wanted).length === 0) {
    endWithParent();
    return false;
  }
  const args = [...process.execArgv, ...process.argv.slice(1)];
  await runChild(args, { ...process.env, ...wanted, [childMark]: '1' });
  return true;
}

/** In the environment of a child that runChild starts. */
const childMark = 'ESTA_CHILD';

/** What the child tells the process that waits for it. */
interface Told {
  /** Whether steps are under way after which everything is saved. */
  readonly saves: boolean;
}

async function runChild(args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const child = spawn(process.execPath, args, { env, stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
  // Ctrl-C reaches both; SIGTERM beside it tells the child nothing new, but it hears of a signal sent to this one alone.
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  let saves = false;
  child.on('message', (told: Told) => {
    saves = told.saves;
  });
  let isAnswered = false;
  const forward = () => {
    if (!isAnswered) process.stderr.write(stoppingAnswer(saves));
    isAnswered = true;
    child.kill('SIGTERM');
  };
  const warn = () => void child.kill('SIGUSR2');
  for (const signal of signals) process.on(signal, forward);
  process.on('SIGUSR2', warn); // a batch system's: this runs on Linux alone
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  for (const each of signals) process.off(each, forward);
  process.off('SIGUSR2', warn);
  // As shells count it: no signal of its own ends the first process of a container, which would end with 0.
  process.exitCode = signal ? 128 + constants.signals[signal] : (code ?? 1);
  if (signal) process.kill(process.pid, signal);
}

/** A child that runChild started does not outlive it, even when that was killed outright, and tells it when it saves. */
function endWithParent(): void {
  const isChild = process.env[childMark] !== undefined;
  delete process.env[childMark]; // processes that this one starts are others
  if (!process.connected) {
    if (isChild) process.exit(1); // it was killed before this one could hear of it
    return;
  }
  onSavingSteps((saves) => {
    const told: Told = { saves };
    if (process.connected) process.send!(told);
  });
  process.once('disconnect', () => process.exit(1));
  process.channel?.unref();
}
