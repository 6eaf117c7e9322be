/**
 * The tests of a tier in a few processes: starting a process for every file, as `node --test` does, takes as long as the
 * tests themselves. Each file is a suite of its own, so that its hooks run for its tests alone.
 */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

export type Tier = 'unit' | 'recipe';

/** Compiled tests below `dist/test`, by path: `x.recipe.test.js`, or every other `x.test.js`. */
function testsOf(tier: Tier): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.js') && file.endsWith('.recipe.test.js') === (tier === 'recipe'))
    .sort();
}

/**
 * Registers every `count`-th file, beginning with file number `first` (from 1). One file loads after the other: a module
 * that two files wait for at once would register the tests of one of them in the suite of the other.
 */
export async function registerShare(tier: Tier, first: number, count: number): Promise<void> {
  for (const file of testsOf(tier).filter((_, index) => index % count === first - 1)) {
    await new Promise<void>((loaded, failed) => {
      describe(file, () => import(pathToFileURL(path.join(root, file)).href).then(() => loaded(), failed));
    });
  }
}
