/** Which program this is, so that a run folder says what made it. */
import { execFile } from 'node:child_process';
import { realpath } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { exists, readJson } from './files.js';

export interface ProgramVersion {
  /** Version of the package. */
  readonly version: string;
  /** Commit that is checked out; left out where the program does not run from a git checkout of its own. */
  readonly commit?: string;
  /** Whether tracked files differ from the commit. */
  readonly changed?: boolean;
}

let own: Promise<ProgramVersion> | undefined;

/** @param root folder that holds package.json; default: the one of this program, as it was when the process first asked */
export function programVersion(root?: string): Promise<ProgramVersion> {
  if (root !== undefined) return versionOf(root);
  own ??= programFolder().then(versionOf);
  return own;
}

async function versionOf(folder: string): Promise<ProgramVersion> {
  const { version } = await readJson<{ version: string }>(path.join(folder, 'package.json'));
  return { version, ...(await checkoutOf(folder)) };
}

/** The nearest folder above this file that holds a package.json: two folders up in src, three in dist/src. */
export async function programFolder(): Promise<string> {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!(await exists(path.join(folder, 'package.json')))) {
    const above = path.dirname(folder);
    if (above === folder) throw new Error(`no package.json above ${import.meta.url}`);
    folder = above;
  }
  return folder;
}

/** Undefined without git, and where `folder` only lies inside the checkout of something else. */
async function checkoutOf(folder: string): Promise<Pick<ProgramVersion, 'commit' | 'changed'> | undefined> {
  const git = async (...words: string[]) => (await promisify(execFile)('git', ['-C', folder, ...words])).stdout.trim();
  try {
    const [top, commit] = (await git('rev-parse', '--show-toplevel', 'HEAD')).split('\n');
    if ((await realpath(top!)) !== (await realpath(folder))) return undefined;
    return { commit: commit!, changed: (await git('status', '--porcelain', '--untracked-files=no')) !== '' };
  } catch {
    return undefined; // no git, no checkout, or no commit yet: nothing that a run could fail for
  }
}
