/**
 * The cache of the Hugging Face hub, shared with the Python library (huggingface_hub): `models--OWNER--NAME/` holds
 * `refs/REVISION` (a commit), `snapshots/COMMIT/FILE` (links) and `blobs/ETAG`. What Python fetched is read from here.
 *
 * Written by hand because the downloadFileToCacheDir of @huggingface/hub asks the network for every branch, so that a
 * cached model could not be read offline, and writes no refs/.
 */
import { mkdir, readdir, readFile, rename, symlink } from 'node:fs/promises';
import path from 'node:path';
import { exists, writeAtomic } from '../../../shared/files.js';
import { userCacheFolder } from '../../../shared/folders/cache-folder.js';
import { readWeightMap } from '../formats/shards.js';
import { chooseWeightFile, indexFile } from './weight-files.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A repository of models at a branch, a tag or a commit. */
export interface HubAddress {
  /** OWNER/NAME. */
  readonly repository: string;
  readonly revision: string;
}

/** Where the Python library keeps its cache, by the same environment variables; empty ones count as not set. */
export function cacheFolder(environment: Environment): string {
  const direct = environment['HF_HUB_CACHE'] || environment['HUGGINGFACE_HUB_CACHE'];
  if (direct) return direct;
  return path.join(environment['HF_HOME'] || path.join(userCacheFolder(environment), 'huggingface'), 'hub');
}

export class HubCache {
  /** The folder of the repository. */
  readonly folder: string;
  private readonly revision: string;

  constructor({ repository, revision }: HubAddress, environment: Environment) {
    this.folder = path.join(cacheFolder(environment), `models--${repository.replace('/', '--')}`);
    this.revision = revision;
  }

  /** The weight file of the revision, when it and all its shards are there. */
  async weightFile(): Promise<string | undefined> {
    const commit = await this.commit();
    const snapshot = path.join(this.folder, 'snapshots', commit);
    const names = await readdir(snapshot).catch(() => undefined);
    if (!names?.some((name) => name === indexFile || /\.(safetensors|npz)$/.test(name))) return undefined;
    const file = path.join(snapshot, chooseWeightFile(snapshot, names));
    const shards = path.basename(file) === indexFile ? new Set((await readWeightMap(file)).values()) : [];
    for (const needed of [path.basename(file), ...shards]) {
      if (!(await exists(path.join(snapshot, needed)))) return undefined;
    }
    return file;
  }

  blob(etag: string): string {
    return path.join(this.folder, 'blobs', etag);
  }

  snapshotFile(commit: string, name: string): string {
    return path.join(this.folder, 'snapshots', commit, name);
  }

  /** Shows a blob under its name in a snapshot. */
  async addToSnapshot(commit: string, name: string, etag: string): Promise<void> {
    const file = this.snapshotFile(commit, name);
    await mkdir(path.dirname(file), { recursive: true });
    const blob = this.blob(etag);
    try {
      await symlink(path.relative(path.dirname(file), blob), file);
    } catch (error) {
      // Windows allows symbolic links to some users only; the file itself then lies in the snapshot, as Python does it.
      if ((error as NodeJS.ErrnoException).code === 'EPERM') await rename(blob, file);
      else if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }

  /** Remembers which commit the revision is. */
  async setCommit(commit: string): Promise<void> {
    if (commit !== this.revision) await writeAtomic(path.join(this.folder, 'refs', this.revision), commit);
  }

  private async commit(): Promise<string> {
    const reference = path.join(this.folder, 'refs', this.revision);
    return (await readFile(reference, 'utf8').catch(() => this.revision)).trim();
  }
}
