#!/usr/bin/env node
/** The executable: hands over to oclif and prints what went wrong. Exit statuses are listed in `shared/failures.ts`. */
import type { Config } from '@oclif/core/config';
import { variablesFor } from './engine/cuda/restart.js';
import { ranInTunedProcess } from './shared/allocator.js';
import { printFailure } from './shared/console.js';
import { nearest, RequestError } from './shared/errors.js';
import { failureOf } from './shared/failures.js';

const given = process.argv.slice(2);
// `esta help run` is what people try first.
const argv = given[0] === 'help' ? [...given.slice(1), '--help'] : given;

// A terminal that was closed takes no more words; a run saves all the same.
process.stderr.on('error', () => {});
// Streams report a full disk on their own.
process.on('uncaughtException', (error) => {
  end(error);
  process.exit();
});

try {
  if (!(await ranInTunedProcess(argv, await variablesFor(argv)))) await runHere();
} catch (error) {
  end(error);
}

/** Says what went wrong and sets the exit status. */
function end(error: unknown): void {
  const failure = failureOf(error);
  if (!failure) return;
  const last = argv.indexOf('--');
  printFailure(failure, argv.slice(0, last === -1 ? undefined : last).includes('--json'));
  process.exitCode = failure.exitStatus;
}

async function runHere(): Promise<void> {
  // Not from '@oclif/core': the whole package takes twice as long to load, and --help should answer at once. Not at the
  // top: a process that waits for its child needs none of it.
  const [{ Config }, { run }] = await Promise.all([import('@oclif/core/config'), import('@oclif/core/run')]);
  const config = await Config.load(import.meta.url);
  refuseUnknownCommand(argv, config);
  await run(argv, config);
}

/** oclif would show the help of a topic for an unknown command below it, and exit with 0. */
function refuseUnknownCommand(args: readonly string[], config: Config): void {
  const flag = args.findIndex((arg) => arg.startsWith('-'));
  const words = flag === -1 ? args : args.slice(0, flag);
  const names = [...config.commandIDs, ...config.topics.map(({ name }) => name)].map((id) => id.replaceAll(':', ' '));
  const isCommand = words.some((_, index) => config.commandIDs.includes(words.slice(0, index + 1).join(':')));
  const typed = words.join(' ');
  if (words.length === 0 || isCommand || names.includes(typed)) return;
  const near = nearest(typed, names) ?? nearest(words[0]!, names);
  const topLevel = [...new Set(names.map((name) => name.split(' ')[0]!))].sort();
  throw new RequestError(
    `${JSON.stringify(typed)} is not a command${near ? `; did you mean ${near}?` : ''}`,
    `Commands: ${topLevel.join(', ')}. See esta --help.`,
  );
}
