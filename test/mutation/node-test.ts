/** What stands for `node:test` while mutants run: it keeps the tests of a file, so that they run again in one process. */

type Body = (context: Context) => unknown;

/** The part of `TestContext` that the tests of this project use. */
interface Context {
  readonly name: string;
  readonly signal: AbortSignal;
  after(body: () => unknown): void;
  skip(): void;
  diagnostic(): void;
  test(name: string, body: Body): Promise<void>;
}

export interface KeptTest {
  readonly name: string;
  readonly isSkipped: boolean;
  /** Rejects where the test fails. */
  run(): Promise<void>;
}

/** The tests that one file registered, with the hooks around them. */
export interface KeptFile {
  readonly tests: KeptTest[];
  readonly hooks: Readonly<Record<'before' | 'after' | 'beforeEach' | 'afterEach', (() => unknown)[]>>;
}

const newFile = (): KeptFile => ({ tests: [], hooks: { before: [], after: [], beforeEach: [], afterEach: [] } });
let current = newFile();

/** Loads a file and returns the tests that it registers. */
export async function registeredBy(load: () => Promise<unknown>): Promise<KeptFile> {
  current = newFile();
  await load();
  return current;
}

async function runBody(name: string, body: Body): Promise<void> {
  const cleanups: (() => unknown)[] = [];
  try {
    await body({
      name,
      signal: new AbortController().signal,
      after: (cleanup) => void cleanups.push(cleanup),
      skip: () => {},
      diagnostic: () => {},
      test: runBody,
    });
  } finally {
    for (const cleanup of cleanups) await cleanup();
  }
}

export function test(name: string, ...rest: readonly [Body] | readonly [{ skip?: unknown }, Body]): void {
  const [options, body] = rest.length === 1 ? [{}, rest[0]] : rest;
  const { hooks } = current;
  const run = async () => {
    for (const hook of hooks.beforeEach) await hook();
    await runBody(name, body);
    for (const hook of hooks.afterEach) await hook();
  };
  current.tests.push({ name, isSkipped: Boolean(options.skip), run });
}

export const describe = (_name: string, body: () => void): void => body();
export const before = (hook: () => unknown): void => void current.hooks.before.push(hook);
export const after = (hook: () => unknown): void => void current.hooks.after.push(hook);
export const beforeEach = (hook: () => unknown): void => void current.hooks.beforeEach.push(hook);
export const afterEach = (hook: () => unknown): void => void current.hooks.afterEach.push(hook);
export default test;
