/** Finding the parts of an official data set below the folder a user unpacked it into. */
import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { RequestError } from '../../../shared/errors.js';
import { unlistable } from '../../folder-entries.js';

/**
 * The first folder, `root` itself or at most `depth` (default 2) levels below it, that holds all `entries`; undefined
 * when there is none. Names are compared exactly, also on file systems that ignore case: `Images` is not `images`.
 */
export async function findFolderWith(root: string, entries: readonly string[], depth = 2): Promise<string | undefined> {
  let level = [root];
  for (let below = 0; below <= depth; below++) {
    const next: string[] = [];
    for (const folder of level) {
      const children = await listFolder(folder);
      const names = new Set(children.map((child) => child.name));
      if (entries.every((entry) => names.has(entry))) return folder;
      next.push(...children.filter((child) => isFolder(child)).map((child) => path.join(folder, child.name)));
    }
    level = next.sort();
  }
  return undefined;
}

/** As `findFolderWith`, but a missing part is a RequestError that says what was looked for. */
export async function requireFolderWith(root: string, entries: readonly string[], title: string): Promise<string> {
  const folder = await findFolderWith(root, entries);
  if (folder !== undefined) return folder;
  const found = (await listFolder(root)).map((child) => child.name).slice(0, 8);
  throw new RequestError(
    `${root} is not a ${title} folder: ${entries.join(', ')} not found in it or two levels below it`,
    found.length === 0
      ? 'The folder is missing or empty. Unpack the archives there, or let esta data prepare do so.'
      : `It holds ${found.join(', ')}. Name the folder (or the archives) of the official download: data.root, or --from of esta data prepare.`,
  );
}

/** The file `name` in `root` or at most two levels below it; undefined when there is none. */
export async function findFile(root: string, name: string): Promise<string | undefined> {
  const folder = await findFolderWith(root, [name]);
  return folder === undefined ? undefined : path.join(folder, name);
}

async function listFolder(folder: string): Promise<Dirent[]> {
  return readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EACCES' || error.code === 'EPERM') throw unlistable(folder, error);
    return [];
  });
}

function isFolder(child: Dirent): boolean {
  // Half-unpacked archives end in .partial and are no part of the data set.
  return (child.isDirectory() || child.isSymbolicLink()) && !child.name.endsWith('.partial');
}
