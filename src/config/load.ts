/**
 * Reads a configuration file: YAML, `--set` overrides, schema, paths. All problems are reported at once.
 *
 * Relative paths inside a file start at the folder of that file, so that it works from anywhere; relative paths of
 * `--set` start at the working folder, as the shell completes them. A shipped experiment that is given by its name counts
 * as lying in `experiments/` of the working folder: its data are the user's, not the program's.
 */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import type { z } from 'zod';
import { RequestError } from '../shared/errors.js';
import { explainReadError } from '../shared/files.js';
import { estaCommand, formatNextStep } from '../shared/next-step.js';
import { applyOverrides, type Override } from './overrides.js';
import { formatProblems, overrideOf, pathAsWritten } from './problem-list.js';
import { check } from './problems.js';
import { type Experiment, experimentSchema } from './schema/experiment.js';
import { experimentFields } from './schema/experiment-fields.js';
import type { DeepReadonly } from './schema/fields.js';
import { type Pretraining, pretrainingSchema } from './schema/pretraining.js';
import { experimentHint, experimentNamed } from './shipped.js';
import { parseYaml } from './yaml-document.js';

export interface LoadOptions {
  /** `path=value` texts, applied in order; default none. */
  readonly set?: readonly string[];
  /** Where relative paths of the command line start; default the working folder of the process. */
  readonly workingFolder?: string;
}

export interface Loaded<Config> {
  readonly config: Config;
  /** Absolute path of the file that was read. */
  readonly file: string;
  /** Of `--set`, in the order in which they were typed. */
  readonly overrides: readonly Override[];
}

interface FileKind<Config> {
  readonly command: string;
  readonly schema: z.ZodType<Config>;
  /** Top-level names, by which a file that was given to the wrong command is recognised. */
  readonly names: readonly string[];
}

const experimentKind: FileKind<z.output<typeof experimentSchema>> = {
  command: 'run',
  schema: experimentSchema,
  names: Object.keys(experimentFields.shape),
};

const pretrainingKind: FileKind<z.output<typeof pretrainingSchema>> = {
  command: 'pretrain',
  schema: pretrainingSchema,
  names: Object.keys(pretrainingSchema.shape),
};

/** Resolves the file or folder that stands at `at` in the configuration. */
type Resolve = (at: readonly PropertyKey[], value: string) => string;

/** An experiment, for `esta run`. Throws a RequestError that lists everything that is wrong. */
export async function loadExperiment(file: string, options: LoadOptions = {}): Promise<Loaded<Experiment>> {
  return load(file, options, experimentKind, pretrainingKind, (experiment, resolve) => ({
    ...experiment,
    anchors: experiment.anchors.map((anchor, index) => ({
      ...anchor,
      checkpoint: resolvedCheckpoint(anchor.checkpoint, index, resolve),
    })),
    data: experiment.data.map((dataset, index) => ({
      ...dataset,
      ...('root' in dataset && { root: resolve(['data', index, 'root'], dataset.root) }),
      ...('file' in dataset && { file: resolve(['data', index, 'file'], dataset.file) }),
      ...('training_list' in dataset &&
        dataset.training_list !== undefined && {
          training_list: resolve(['data', index, 'training_list'], dataset.training_list),
        }),
    })),
  }));
}

/** A pretraining, for `esta pretrain`. Throws a RequestError that lists everything that is wrong. */
export async function loadPretraining(file: string, options: LoadOptions = {}): Promise<Loaded<Pretraining>> {
  return load(file, options, pretrainingKind, experimentKind, (pretraining, resolve) => ({
    ...pretraining,
    anchors: pretraining.anchors.map(({ checkpoint, ...anchor }, index) => ({
      ...anchor,
      ...(checkpoint !== undefined && { checkpoint: resolvedCheckpoint(checkpoint, index, resolve) }),
    })),
    data: { ...pretraining.data, root: resolve(['data', 'root'], pretraining.data.root) },
    output: resolve(['output'], pretraining.output),
  }));
}

/** Whether an anchor's checkpoint is a file, and neither embedded nor on the Hugging Face hub. */
export function isFile(checkpoint: string): boolean {
  return checkpoint !== 'embedded' && !checkpoint.startsWith('hf-hub:');
}

/** Of an anchor. */
function resolvedCheckpoint(checkpoint: string, index: number, resolve: Resolve): string {
  return isFile(checkpoint) ? resolve(['anchors', index, 'checkpoint'], checkpoint) : checkpoint;
}

async function load<Config>(
  file: string,
  { set = [], workingFolder = process.cwd() }: LoadOptions,
  kind: FileKind<Config>,
  other: Pick<FileKind<unknown>, 'command' | 'names'>,
  withPaths: (config: DeepReadonly<Config>, resolve: Resolve) => DeepReadonly<Config>,
): Promise<Loaded<DeepReadonly<Config>>> {
  const { absolute, folder, text } = await find(file, workingFolder, kind.command);
  const document = parseYaml(text, file);
  const changed = applyOverrides(document.value, set);
  const checked = check(kind.schema, changed.value);
  const asWritten = (at: readonly PropertyKey[]) => pathAsWritten(at, changed.value);
  const faults = 'problems' in checked ? checked.problems : [];
  const problems = [...changed.problems, ...faults.map((fault) => ({ ...fault, path: asWritten(fault.path) }))];
  if ('problems' in checked || problems.length > 0) {
    if (mayBe(other, document.value) && !mayBe(kind, document.value)) {
      throw new RequestError(
        `${file} is a file for esta ${other.command}, not for esta ${kind.command}`,
        formatNextStep({ purpose: 'The command for it:', command: estaCommand(other.command, file) }),
      );
    }
    throw new RequestError(
      formatProblems(file, problems, document, changed.overrides),
      'Nothing was run. Correct the file, or replace single values with --set path=value.',
    );
  }

  const config = withPaths(checked.config as DeepReadonly<Config>, (at, value) =>
    path.resolve(
      overrideOf(asWritten(at), changed.overrides) ? workingFolder : folder,
      value.replace(/^~(?=$|\/)/, homedir()), // no shell expands it behind --set path=
    ),
  );
  return { config, file: absolute, overrides: changed.overrides };
}

/** Whether all top-level names of a file are those of this kind. */
function mayBe({ names }: { readonly names: readonly string[] }, value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).every((name) => names.includes(name));
}

/**
 * The text of a file; of a shipped one where the working folder has none by that name.
 * @returns also the folder where its relative paths start
 */
async function find(
  file: string,
  workingFolder: string,
  command: string,
): Promise<{ absolute: string; folder: string; text: string }> {
  const absolute = path.resolve(workingFolder, file);
  try {
    return { absolute, folder: path.dirname(absolute), text: await readFile(absolute, 'utf8') };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const isMissing = code === 'ENOENT' || code === 'ENOTDIR';
    if (!isMissing && code !== 'EISDIR') throw explainReadError(error as NodeJS.ErrnoException, file);
    const named = await experimentNamed(file, workingFolder);
    if (named) return { absolute: named.file, folder: named.folder, text: await readFile(named.file, 'utf8') };
    const problem = isMissing ? 'does not exist' : 'is a folder';
    throw new RequestError(`${file} ${problem}`, await experimentHint(file, command));
  }
}
