/** Verifying and unpacking downloaded archives (.tar, .tar.gz, .tgz, .zip). */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import * as tar from 'tar';
import * as yauzl from 'yauzl';
import { isExpected, messageOf, RequestError } from '../../../shared/errors.js';
import { explainStorageError } from '../../storage-errors.js';
import type { Archive, OnActivity } from '../layouts/layout.js';

const archiveName = /^(.+?)\.(tar|tar\.gz|tgz|zip)$/i;

/** Bytes: far more than the largest official download, NABirds with 9 GB of images, gives. */
const unpackedLimit = 64 * 2 ** 30;

export function isArchive(file: string): boolean {
  return archiveName.test(path.basename(file));
}

/** MD5 of a file as hexadecimal text. */
export async function md5Of(file: string, progress?: OnActivity): Promise<string> {
  const { size } = await stat(file);
  const hash = createHash('md5');
  let done = 0;
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
    hash.update(chunk as Buffer);
    done += (chunk as Buffer).length;
    progress?.(`verifying ${path.basename(file)}`, done, size);
  }
  return hash.digest('hex');
}

/** A file that is not the official download is a RequestError; archives without a published sum pass. */
export async function verify(file: string, known: Archive | undefined, progress?: OnActivity): Promise<void> {
  if (known?.md5 === undefined) return;
  const received = await md5Of(file, progress);
  if (received === known.md5) return;
  throw new RequestError(
    `${file} is damaged or another version: its MD5 is ${received}, the official file has ${known.md5}`,
    'Download it again; --no-verify accepts a copy that was packed anew.',
  );
}

/**
 * Unpacks into `<parent>/<archive name without extension>/` and returns that folder. An archive unpacked before is not
 * unpacked again: the folder gets its name only when it is complete.
 */
export async function unpack(
  archive: string,
  parent: string,
  progress?: OnActivity,
  limit = unpackedLimit,
): Promise<string> {
  const folder = unpackedFolder(archive, parent);
  if (await isUnpacked(archive, parent)) return folder;
  const partial = `${folder}.partial`;
  const count = limitOf(archive, limit);
  try {
    await removeFolder(partial);
    await mkdir(partial, { recursive: true });
    if (/\.zip$/i.test(archive)) await unpackZip(archive, partial, count, progress);
    else await unpackTar(archive, partial, count, progress);
    await removeFolder(folder); // of another archive of that name
    await rename(partial, folder);
    await writeFile(markOf(folder), `${(await stat(archive)).size}\n`);
  } catch (error) {
    await removeFolder(partial).catch(() => undefined);
    throw explainUnpackError(error, archive, parent);
  }
  return folder;
}

/** Whether `unpack` has finished with this archive before, by its name and its size. */
export async function isUnpacked(archive: string, parent: string): Promise<boolean> {
  const folder = unpackedFolder(archive, parent);
  const found = await stat(folder).catch(() => undefined);
  if (!found?.isDirectory()) return false;
  // Version 0.2.0 and before left no mark.
  const size = await readFile(markOf(folder), 'utf8').catch(() => undefined);
  return size === undefined || Number(size) === (await stat(archive)).size;
}

/** Beside a folder: how many bytes the archive had that it was unpacked from. */
function markOf(folder: string): string {
  return path.join(path.dirname(folder), `.${path.basename(folder)}.size`);
}

function unpackedFolder(archive: string, parent: string): string {
  return path.join(parent, path.basename(archive).replace(archiveName, '$1'));
}

async function unpackTar(
  archive: string,
  folder: string,
  count: (bytes: number) => void,
  progress?: OnActivity,
): Promise<void> {
  const { size } = await stat(archive);
  const source = createReadStream(archive, { highWaterMark: 1 << 20 });
  source.on('data', () => progress?.(`unpacking ${path.basename(archive)}`, source.bytesRead, size));
  let entries = 0;
  // an entry is as long as its header says: the reader ends there
  const onReadEntry = (entry: tar.ReadEntry) => {
    entries++;
    try {
      count(entry.size);
    } catch (error) {
      source.destroy(error as Error);
    }
  };
  // strict: what is only a warning by default (a cut archive, entries that would lie outside the folder) fails
  await pipeline(source, tar.extract({ cwd: folder, strict: true, onReadEntry }));
  if (entries === 0) throw new RequestError(`${archive} is empty or no tar archive`, 'Download it again.');
}

async function unpackZip(
  archive: string,
  folder: string,
  count: (bytes: number) => void,
  progress?: OnActivity,
): Promise<void> {
  const zip = await yauzl.openPromise(archive, { lazyEntries: true });
  // The loop closes the archive, also where it ends early.
  for await (const entry of zip.eachEntry()) {
    count(entry.uncompressedSize); // yauzl ends an entry that is longer than it says
    await unpackZipEntry(zip, entry, folder);
    progress?.(`unpacking ${path.basename(archive)}`, zip.entriesRead, zip.entryCount);
  }
}

async function unpackZipEntry(zip: yauzl.ZipFile, entry: yauzl.Entry, folder: string): Promise<void> {
  // yauzl refuses absolute names and names with '..'
  const target = path.join(folder, entry.fileName);
  if (entry.fileName.endsWith('/')) {
    await mkdir(target, { recursive: true });
    return;
  }
  await mkdir(path.dirname(target), { recursive: true });
  const content = await zip.openReadStreamPromise(entry);
  let sum = 0;
  // yauzl compares no checksums
  const summed = async function* (chunks: AsyncIterable<string | Buffer>) {
    for await (const chunk of chunks) {
      sum = crc32(chunk, sum);
      yield chunk;
    }
  };
  await pipeline(content, summed, createWriteStream(target));
  if (sum !== entry.crc32) throw new Error(`the checksum of ${entry.fileName} does not fit`);
}

/** Files that were being written when unpacking failed may still appear for a moment, hence the retries. */
async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 8, retryDelay: 50 });
}

function explainUnpackError(error: unknown, archive: string, folder: string): unknown {
  const explained = explainStorageError(error, folder, 'Choose another data root with --root DIR.');
  if (isExpected(explained)) return explained;
  return new RequestError(
    `${archive} cannot be unpacked, it is damaged or truncated: ${messageOf(error)}`,
    'Download it again.',
  );
}

/** Counts what comes out of an archive, and ends where it is more than any data set. */
function limitOf(archive: string, limit: number): (bytes: number) => void {
  let total = 0;
  return (bytes) => {
    total += bytes;
    if (total <= limit) return;
    throw new RequestError(
      `${archive} unpacks to more than ${limit / 2 ** 30} GiB; the largest official download, NABirds, has 9`,
      'Nothing of it was kept. Download the official archive, or unpack this one yourself and name the folder.',
    );
  };
}
