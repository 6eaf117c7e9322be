/** Where the fixtures lie: the compiled tests run in dist/test, the files stay in test/fixtures. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { RequestError } from '../../../src/shared/errors.js';

const inFixtures = path.join('test', 'fixtures', 'checkpoints');

export function fixture(name: string): string {
  const root = [process.cwd(), ...['../../..', '../../../..'].map((up) => path.resolve(import.meta.dirname, up))].find(
    (folder) => existsSync(path.join(folder, inFixtures)),
  );
  if (!root) throw new Error(`${inFixtures} is not to be found: run the tests from the top of the project`);
  return path.join(root, inFixtures, name);
}

export function fixtureJson<T>(name: string): T {
  return JSON.parse(readFileSync(fixture(name), 'utf8')) as T;
}

/** A folder that goes away with the test. */
export function temporaryFolder(test: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'esta-checkpoint-'));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** For assert.rejects and assert.throws: a RequestError whose message and hint, joined by a newline, match all patterns. */
export function requestError(...patterns: readonly RegExp[]): (error: unknown) => boolean {
  return (error) => {
    if (!(error instanceof RequestError)) throw error;
    const text = `${error.message}\n${error.hint ?? ''}`;
    for (const pattern of patterns) if (!pattern.test(text)) throw new Error(`${pattern} does not match: ${text}`);
    return true;
  };
}
