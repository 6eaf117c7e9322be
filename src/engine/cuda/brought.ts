/** Files that were brought by hand to a machine without a network. */
import { cp, readdir } from 'node:fs/promises';
import path from 'node:path';
import { RequestError } from '../../shared/errors.js';
import { providerFiles } from './builds.js';

/** An archive that was brought by hand, under the name that its registry gives it. */
export async function archiveBroughtIn(from: string, name: string, version: string): Promise<string | undefined> {
  const names = ['tgz', 'nupkg', 'zip'].flatMap((end) => [`${name}-${version}.${end}`, `${name}.${version}.${end}`]);
  const wanted = new Set(names.map((each) => each.toLowerCase()));
  const found = (await entriesOf(from)).find((entry) => wanted.has(entry.toLowerCase()));
  return found && path.join(from, found);
}

/** Whether the libraries themselves were brought; copies them then. */
export async function librariesBroughtIn(from: string, libraries: string): Promise<boolean> {
  const entries = await entriesOf(from);
  const found = providerFiles.filter((name) => entries.includes(name));
  if (found.length === 0) return false;
  for (const name of providerFiles) {
    if (found.includes(name)) await cp(path.join(from, name), path.join(libraries, name));
    else throw new RequestError(`--from: ${from} holds ${found[0]}, but no ${name}`, 'The provider is both of them.');
  }
  return true;
}

async function entriesOf(from: string): Promise<string[]> {
  return readdir(from).catch((error: NodeJS.ErrnoException) => {
    throw new RequestError(
      `--from: ${from} is no folder that can be read (${error.code})`,
      'Give the folder with the files.',
    );
  });
}
