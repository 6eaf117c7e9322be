/** The experiment files that come with the program. They are known by name, `quickstart` or `mini/fgvc`, in any folder. */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { nearest } from '../shared/errors.js';
import { programFolder } from '../shared/program.js';

const folderName = 'experiments';

/** Folder and file names; undefined where the program lost them. */
async function shippedExperiments(): Promise<{ folder: string; names: readonly string[] } | undefined> {
  const folder = path.join(await programFolder(), folderName);
  const names = (await readdir(folder, { recursive: true }).catch(() => [])).filter((name) => name.endsWith('.yaml'));
  return names.length > 0 ? { folder, names } : undefined;
}

/** Path of one of them. */
export async function shippedExperiment(name: string): Promise<string> {
  const shipped = await shippedExperiments();
  return path.join(shipped?.folder ?? folderName, name);
}

export interface NamedExperiment {
  readonly file: string;
  /** Where its relative paths start: as if it lay in `experiments/` of the working folder. */
  readonly folder: string;
}

/**
 * The shipped file that `given` names: `quickstart`, `quickstart.yaml` or `experiments/quickstart.yaml`. Undefined where
 * there is none, and for what can only be a path: `./quickstart`, `../quickstart`, an absolute one.
 */
export async function experimentNamed(given: string, workingFolder: string): Promise<NamedExperiment | undefined> {
  const shipped = await shippedExperiments();
  const name = `${plainName(given)}.yaml`;
  if (!shipped?.names.map(withSlashes).includes(name)) return undefined;
  return {
    file: path.join(shipped.folder, name),
    folder: path.join(workingFolder, folderName, path.dirname(name)),
  };
}

/**
 * What to try instead of a name or path that leads nowhere: the nearest shipped experiment, else their names.
 * @param command `run` or `pretrain`: which files are meant
 */
export async function experimentHint(given: string, command: string): Promise<string | undefined> {
  const shipped = await shippedExperiments();
  if (!shipped) return undefined;
  const all = shipped.names.map((name) => plainName(withSlashes(name))).toSorted();
  const names = all.filter((name) => name.startsWith('pretrain-') === (command === 'pretrain'));
  const near = nearest(plainName(given), names) ?? nearest(path.basename(plainName(given)), names);
  if (near) return `Did you mean ${near}? That experiment comes with the program and is known by its name.`;
  return `Give a YAML file, or the name of an experiment that comes with the program: ${names.join(', ')}.`;
}

function plainName(given: string): string {
  return withSlashes(given)
    .replace(new RegExp(`^${folderName}/`), '')
    .replace(/\.yaml$/, '');
}

function withSlashes(name: string): string {
  return name.split(path.sep).join('/');
}
