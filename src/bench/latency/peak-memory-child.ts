/** The child of peak-memory.ts: prints the bytes by which the largest resident memory rises. Its argument is JSON. */
import { readFile, writeFile } from 'node:fs/promises';
import { type ExportedFile, openExported, type Surroundings } from './exported-file.js';

interface Task {
  readonly file: ExportedFile;
  readonly surroundings: Surroundings;
}

const { file, surroundings } = JSON.parse(process.argv[2]!) as Task;
// Linux forgets the peak of the start of this process; elsewhere a network below that peak counts what is resident.
await writeFile('/proc/self/clear_refs', '5').catch(() => undefined);
const before = process.memoryUsage.rss();
const network = await openExported(file, surroundings);
for (let run = 0; run < 2; run++) await network.run();
const largest = await largestResident();
const resident = process.memoryUsage.rss();
await network.release();
process.stdout.write(`${Math.max(largest, resident) - before}\n`);

/** VmHWM on Linux: maxRSS survives exec, so that it would include the peak of the parent. */
async function largestResident(): Promise<number> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  const [, kilobytes] = /^VmHWM:\s*(\d+) kB/m.exec(status) ?? [];
  return 1024 * (kilobytes === undefined ? process.resourceUsage().maxRSS : Number(kilobytes));
}
