/**
 * A test runner for Stryker that runs the tests of `node:test` again and again in one process. Stryker's own TAP runner
 * starts a process for every test file and mutant, which takes 0.3 s where most tests of a mutant take 0.01 s.
 *
 * A mutant is active while the modules load and while the tests run; every mutant gets modules loaded anew. Recipe tests
 * take seconds each: a few that are named run for mutants of `src/experiment`, whose files hold what only a whole run shows.
 */
import { readdir } from 'node:fs/promises';
import { register } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { type KeptFile, registeredBy } from './node-test.js';

interface Options {
  readonly mutate: readonly string[];
  readonly nodeTest: {
    /** Files and folders below `dist/test` that hold the tests. */
    readonly tests: readonly string[];
    /** Those of the recipe tests among them that run, for mutants of `src/experiment` alone. */
    readonly recipes: readonly string[];
  };
}

/** By mutant, how often it was reached. */
type Coverage = Record<string, number>;

/** What Stryker's instrumented code reads and writes. */
interface Instrumentation {
  activeMutant?: string | undefined;
  currentTestId?: string | undefined;
  hitCount?: number | undefined;
  hitLimit?: number | undefined;
  mutantCoverage?: { static: Coverage; perTest: Record<string, Coverage> } | undefined;
}

interface MutantRun {
  readonly activeMutant: { readonly id: string; readonly fileName: string };
  readonly testFilter?: readonly string[];
  readonly hitLimit?: number;
}

interface TestResult {
  readonly id: string;
  readonly name: string;
  readonly fileName: string;
  readonly timeSpentMs: number;
  /** 0 passed, 1 failed, 2 skipped. */
  readonly status: 0 | 1 | 2;
  readonly failureMessage?: string;
}

const instrumentation: Instrumentation = {};
Object.assign(globalThis, { __stryker__: instrumentation });
/** The compiled project that is tested: Stryker sets the folder after it loads this file. */
const compiled = () => path.resolve('dist');
const separator = ' > ';

class NodeTestRunner {
  static readonly inject = ['options'] as const;
  readonly #options: Options;
  #generation = 0;
  #stray: unknown;

  constructor(options: Options) {
    this.#options = options;
  }

  capabilities() {
    return { reloadEnvironment: true };
  }

  init(): void {
    const locations = {
      nodeTest: new URL('./node-test.js', import.meta.url).href,
      root: `${pathToFileURL(compiled())}/`,
    };
    register('./fresh-modules.js', import.meta.url, { data: locations });
    for (const event of ['unhandledRejection', 'uncaughtException'])
      process.on(event, (error: unknown) => {
        this.#stray = error ?? event;
      });
  }

  /** Runs every test once and notes which mutants it reaches; what a file reaches while it loads counts for its tests. */
  async dryRun() {
    const tests: TestResult[] = [];
    const perTest: Record<string, Coverage> = {};
    const { mutate, nodeTest } = this.#options;
    const withRecipes = mutate.some((pattern) => pattern.includes(trainingFolder));
    for (const file of await testFiles(nodeTest.tests)) {
      if (isRecipe(file) && !(withRecipes && nodeTest.recipes.includes(file))) continue;
      const coverage = { static: {} as Coverage, perTest: {} as Record<string, Coverage> };
      instrumentation.mutantCoverage = coverage;
      try {
        const results = await this.#runFile(file);
        tests.push(...results);
        for (const { id } of results) perTest[id] = { ...coverage.static, ...coverage.perTest[id] };
      } catch (error) {
        return { status: 'error', errorMessage: `${file}: ${messageOf(error)}` };
      }
    }
    instrumentation.mutantCoverage = undefined;
    return { status: 'complete', tests, mutantCoverage: { static: {}, perTest } };
  }

  /** Runs the tests that reach the mutant, those of its own file first, until one fails. */
  async mutantRun({ activeMutant, testFilter = [], hitLimit }: MutantRun) {
    Object.assign(instrumentation, { activeMutant: activeMutant.id, hitLimit, hitCount: hitLimit && 0 });
    let nrOfTests = 0;
    for (const file of nearestFirst(new Set(testFilter.map(fileOf)), activeMutant.fileName)) {
      if (isRecipe(file) && !activeMutant.fileName.includes(`src/${trainingFolder}/`)) continue;
      let failed: { id: string; failureMessage?: string } | undefined;
      try {
        const results = await this.#runFile(file, new Set(testFilter));
        nrOfTests += results.length;
        failed = results.find(({ status }) => status === 1);
      } catch (error) {
        failed = { id: testFilter.find((id) => fileOf(id) === file)!, failureMessage: messageOf(error) };
      }
      if (hitLimit !== undefined && instrumentation.hitCount! > hitLimit) return { status: 'timeout', reason: 'hits' };
      if (failed !== undefined)
        return { status: 'killed', killedBy: [failed.id], failureMessage: failed.failureMessage ?? '', nrOfTests };
    }
    return { status: 'survived', nrOfTests };
  }

  /** The results of the tests in the filter, up to the first that fails. */
  async #runFile(file: string, filter?: ReadonlySet<string>): Promise<TestResult[]> {
    const url = `${pathToFileURL(path.join(compiled(), 'test', file))}?fresh=${++this.#generation}`;
    instrumentation.currentTestId = undefined;
    const { tests, hooks }: KeptFile = await registeredBy(() => import(url));
    const results: TestResult[] = [];
    for (const hook of hooks.before) await hook();
    for (const { name, isSkipped, run } of tests) {
      const id = file + separator + name;
      if (filter !== undefined && !filter.has(id)) continue;
      const start = performance.now();
      const result = (status: TestResult['status'], failureMessage?: string) => {
        const timeSpentMs = Math.ceil(performance.now() - start);
        return {
          id,
          name: id,
          fileName: `test/${file.replace(/js$/, 'ts')}`,
          timeSpentMs,
          status,
          ...(failureMessage && { failureMessage }),
        };
      };
      this.#stray = undefined;
      instrumentation.currentTestId = id;
      try {
        if (!isSkipped) await run();
        if (this.#stray !== undefined) throw this.#stray;
        results.push(result(isSkipped ? 2 : 0));
      } catch (error) {
        results.push(result(1, messageOf(error)));
      }
      instrumentation.currentTestId = undefined;
      if (results.at(-1)!.status === 1) break;
    }
    for (const hook of hooks.after) await hook();
    process.exitCode = 0;
    return results;
  }
}

/** The folder whose mutants recipe tests run for. */
const trainingFolder = 'experiment';
const isRecipe = (file: string) => file.endsWith('.recipe.test.js');
const fileOf = (id: string) => id.slice(0, id.indexOf(separator));
const messageOf = (error: unknown) => (error instanceof Error ? (error.stack ?? error.message) : String(error));

/** Below `dist/test`, files named by themselves or by a folder. */
async function testFiles(named: readonly string[]): Promise<string[]> {
  const names = await readdir(path.join(compiled(), 'test'), { recursive: true });
  const isNamed = (name: string) => named.some((start) => name === start || name.startsWith(`${start}/`));
  return names.filter((name) => name.endsWith('.test.js') && isNamed(name)).sort();
}

/** The test files, the longer the path they share with the mutated file the earlier. */
function nearestFirst(files: ReadonlySet<string>, mutated: string): string[] {
  const source = path.relative(path.resolve('src'), mutated).split(/[/.]/);
  const shared = (file: string) => {
    const parts = file.split(/[/.]/);
    const differing = parts.findIndex((part, index) => part !== source[index]);
    return differing < 0 ? parts.length : differing;
  };
  return [...files].sort((a, b) => shared(b) - shared(a));
}

export const strykerPlugins = [{ kind: 'TestRunner', name: 'node-test', injectableClass: NodeTestRunner }];
