/** The experiment files that come with the program. */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder and names, from `dist/src/config/` or from `src/config/`; undefined where the program lost them. */
export async function shippedExperiments(): Promise<{ folder: string; names: readonly string[] } | undefined> {
  for (const up of ['../../..', '../..']) {
    const folder = fileURLToPath(new URL(`${up}/experiments`, import.meta.url));
    const names = (await readdir(folder, { recursive: true }).catch(() => [])).filter((name) => name.endsWith('.yaml'));
    if (names.length > 0) return { folder, names };
  }
  return undefined;
}

/** Path of one of them. */
export async function shippedExperiment(name: string): Promise<string> {
  const shipped = await shippedExperiments();
  return path.join(shipped?.folder ?? 'experiments', name);
}
