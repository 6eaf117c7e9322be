/** Takes some files out of a package: npm's .tgz, or NuGet's .nupkg, which is a ZIP file. */
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import * as tar from 'tar';
import { openPromise } from 'yauzl';
import { messageOf, RequestError } from '../../shared/errors.js';

/** Unpacks the files whose names in the archive are wanted into `folder`, below those names. */
export async function unpackFiles(archive: string, folder: string, isWanted: (name: string) => boolean): Promise<void> {
  await mkdir(folder, { recursive: true });
  try {
    if (/\.(nupkg|zip)$/.test(archive)) await unpackZip(archive, folder, isWanted);
    else await tar.extract({ file: archive, cwd: folder, strict: true, filter: isWanted });
  } catch (error) {
    if (typeof (error as NodeJS.ErrnoException).syscall === 'string') throw error; // of the disk
    throw new RequestError(`${archive} is damaged: ${messageOf(error)}`, 'Remove it, and run the same command again.');
  }
}

async function unpackZip(archive: string, folder: string, isWanted: (name: string) => boolean): Promise<void> {
  const zip = await openPromise(archive, { lazyEntries: true });
  // yauzl refuses absolute names and names with '..'. The loop closes the archive, also where it ends early.
  for await (const entry of zip.eachEntry()) {
    if (entry.fileName.endsWith('/') || !isWanted(entry.fileName)) continue;
    const target = path.join(folder, entry.fileName);
    await mkdir(path.dirname(target), { recursive: true });
    await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(target));
  }
}
