/**
 * Keeps the C library from giving memory back to the system between training steps. A step allocates and frees hundreds of
 * megabytes; glibc returns them at once, and every page that comes back costs a fault (measured on the largest mini anchor
 * at batch 32: a fifth of a step). glibc reads its settings only when a process starts, so the process starts itself
 * again, in place, where Node.js can do that (process.execve: from 22.15); elsewhere set GLIBC_TUNABLES in the shell.
 */
const tunables = {
  'glibc.malloc.mmap_threshold': 2 ** 25, // the most that glibc accepts; above it every block is a mapping of its own
  'glibc.malloc.trim_threshold': 2 ** 34,
  'glibc.malloc.top_pad': 2 ** 26,
  'glibc.malloc.hugetlb': 1, // huge pages where the system allows them on request
};

type Execve = (file: string, args: readonly string[], environment: NodeJS.ProcessEnv) => never;

/** Commands that compute for long. */
const computing = new Set(['run', 'pretrain', 'ablate', 'bench']);

/** Returns only where the settings are there already, cannot help or cannot be made. */
export function keepFreedMemory(command: string | undefined): void {
  const { execve } = process as unknown as { execve?: Execve };
  if (process.platform !== 'linux' || !execve || !computing.has(command ?? '')) return;
  if (process.env['GLIBC_TUNABLES'] !== undefined) return;
  const settings = Object.entries(tunables).map(([name, value]) => `${name}=${value}`);
  const args = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  execve(process.execPath, args, { ...process.env, GLIBC_TUNABLES: settings.join(':') });
}
