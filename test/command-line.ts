/** Runs the compiled program as a user does, in a process of its own. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export const executable = fileURLToPath(new URL('../src/cli.js', import.meta.url));

/** The root of the project: `dist/test/` is two folders below it. */
export const projectRoot = fileURLToPath(new URL('../..', import.meta.url));

/**
 * `esta ...args`, by default in the root of the project. With settings of the C library given, a long command does not start
 * itself again to set them, which takes half a second; allocator.recipe.test.ts is about that.
 */
export function esta(args: readonly string[], workingFolder: string = projectRoot): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, GLIBC_TUNABLES: process.env['GLIBC_TUNABLES'] ?? '' };
    const child = spawn(process.execPath, [executable, ...args], { cwd: workingFolder, env });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, stdout, stderr }));
  });
}
