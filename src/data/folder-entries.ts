/** Listing the folders of a user, whose names, links and permissions may be anything. */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { RequestError } from '../shared/errors.js';

export interface FolderEntries {
  /** Names of the folders, and of the links to folders; sorted by code units, as all names here. */
  readonly folders: readonly string[];
  readonly files: readonly string[];
  /** Those of `files` that are links which lead nowhere. */
  readonly dangling: readonly string[];
  /** Names of pipes, sockets and devices. */
  readonly others: readonly string[];
}

/**
 * What is in a folder; links count as what they lead to, and a link that leads nowhere as a file.
 * @throws RequestError for a folder that is missing or cannot be listed, and for a name that is not UTF-8
 */
export async function entriesOf(folder: string): Promise<FolderEntries> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    throw unlistable(folder, error);
  });
  const folders: string[] = [];
  const files: string[] = [];
  const dangling: string[] = [];
  const others: string[] = [];
  for (const entry of entries) {
    const { name } = entry;
    if (name.includes('\uFFFD')) await refuseUndecoded(path.join(folder, name));
    const target = entry.isSymbolicLink() ? await stat(path.join(folder, name)).catch(() => undefined) : entry;
    if (target === undefined) dangling.push(name);
    if (target?.isDirectory()) folders.push(name);
    else if (target === undefined || target.isFile()) files.push(name);
    else others.push(name);
  }
  return { folders: folders.sort(), files: files.sort(), dangling: dangling.sort(), others: others.sort() };
}

/** Node.js replaces bytes that are not UTF-8 by U+FFFD; such a name opens nothing. */
async function refuseUndecoded(file: string): Promise<void> {
  const opens = await stat(file).then(
    () => true,
    () => false,
  );
  if (opens) return;
  throw new RequestError(
    `the name ${JSON.stringify(path.basename(file))} in ${path.dirname(file)} is not UTF-8 (each \uFFFD stands for a byte that is not)`,
    'Rename it; convmv -r -f latin1 -t utf8 --notest FOLDER does so for all names of a folder.',
  );
}

const rootHint =
  'Set data.root to the folder that contains train/; of a run that is there, root in experiment.yaml of its folder.';

/** Why a folder cannot be listed, and what to do. */
export function unlistable(folder: string, { code }: NodeJS.ErrnoException): RequestError {
  switch (code) {
    case 'ENOENT':
      return new RequestError(`data folder ${folder} does not exist`, rootHint);
    case 'ENOTDIR':
      return new RequestError(`${folder} is a file, not a data folder`, rootHint);
    case 'EACCES':
    case 'EPERM':
      return new RequestError(
        `data folder ${folder} cannot be listed: permission denied (${code})`,
        `Its owner can allow it: chmod -R u+rX ${folder}`,
      );
    default:
      return new RequestError(
        `data folder ${folder} cannot be listed (${code})`,
        'Check the disk or the network share that holds it.',
      );
  }
}
