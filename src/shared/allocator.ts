/**
 * Keeps the C library from giving memory back to the system between training steps. A step allocates and frees hundreds of
 * megabytes; glibc returns them at once, and every page that comes back costs a fault (measured on the mini family at batch
 * 128: 10 to 20 % of a step). glibc reads these settings only when a process starts, so the process starts itself again,
 * in place, where Node.js can do that (process.execve: from 22.15); elsewhere set them in the shell.
 */
const settings = {
  MALLOC_MMAP_THRESHOLD_: String(2 ** 32),
  MALLOC_TRIM_THRESHOLD_: String(2 ** 34),
  MALLOC_TOP_PAD_: String(2 ** 26),
};

type Execve = (file: string, args: readonly string[], environment: NodeJS.ProcessEnv) => never;

/** Commands that compute for long. */
const computing = new Set(['run', 'pretrain', 'ablate', 'bench']);

/** Returns only where the settings are there already, cannot help or cannot be made. */
export function keepFreedMemory(command: string | undefined): void {
  const { execve } = process as unknown as { execve?: Execve };
  if (process.platform !== 'linux' || !execve || !computing.has(command ?? '')) return;
  if (Object.keys(settings).some((name) => process.env[name] !== undefined)) return;
  const args = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  execve(process.execPath, args, { ...process.env, ...settings });
}
