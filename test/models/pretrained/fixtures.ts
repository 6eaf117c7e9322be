/** What the tests of checkpoints share. Fixtures are not compiled: tests run from the top of the project. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { RequestError } from '../../../src/shared/errors.js';

export function fixture(name: string): string {
  return path.resolve('test/fixtures/checkpoints', name);
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
