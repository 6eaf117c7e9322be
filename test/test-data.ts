/** Real files that are not this project's to ship: tests that need them are skipped where they are absent. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from './command-line.js';

/** The folder that ESTA_TEST_DATA names, else `shared/data` beside the project. */
const root = process.env['ESTA_TEST_DATA'] ?? path.join(projectRoot, '..', 'shared', 'data');

export function testData(name: string): string {
  return path.join(root, name);
}

/** Options of a test that needs all these files. */
export function whereThereIs(...names: readonly string[]): { readonly skip: string | false } {
  const missing = names.filter((name) => !existsSync(testData(name)));
  return { skip: missing.length > 0 && `${missing.join(', ')} not found: name its folder with ESTA_TEST_DATA` };
}
