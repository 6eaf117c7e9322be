/** What opening and running an exported network adds to the memory of a process: in one of its own, which ran nothing else. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ExportedFile, Surroundings } from './exported-file.js';

/** @returns bytes; of a process that computes on a GPU, those of the host */
export async function peakMemoryOf(file: ExportedFile, surroundings: Surroundings): Promise<number> {
  const child = fileURLToPath(new URL('./peak-memory-child.js', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [child, JSON.stringify({ file, surroundings })]);
  return Number(stdout.trimEnd().split('\n').at(-1));
}
