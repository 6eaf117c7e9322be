/** Downloads large files: what was stopped goes on, and a file has its name only when its hash is right. */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { isExpected, messageOf, RequestError } from '../../shared/errors.js';
import { exists } from '../../shared/files.js';
import type { Progress } from '../../shared/progress.js';

export interface Download {
  /** For people: name and version. */
  readonly what: string;
  readonly url: string;
  /** Subresource integrity (w3.org/TR/SRI): `sha512-` and the hash in base64. */
  readonly integrity: string;
}

const byHand = 'bring the files by hand: esta engine install --cuda --from FOLDER.';

/** Node.js goes through a proxy only where it is told to, and only from version 24 on. */
function withoutNetwork(): string {
  const proxy = ['HTTPS_PROXY', 'https_proxy'].find((name) => process.env[name]);
  if (!proxy) return `Without a network, ${byHand}`;
  return `${proxy} is set: Node.js takes it from version 24 on, with NODE_USE_ENV_PROXY=1. Or ${byHand}`;
}

/**
 * Downloads to `file`, through `file.partial`, which stays where the download is stopped.
 * @throws RequestError where the server does not answer, or the file is not what was published
 */
export async function download({ what, url, integrity }: Download, file: string, progress: Progress): Promise<void> {
  if (await exists(file)) return; // it got its name when its hash was right
  const partial = `${file}.partial`;
  const bytes = (await exists(partial)) ? (await stat(partial)).size : 0;
  try {
    await append(url, partial, bytes, what, progress);
  } catch (error) {
    if (isExpected(error) || isDiskError(error)) throw error;
    const done = (await exists(partial)) ? (await stat(partial)).size : 0;
    throw new RequestError(
      `${what} cannot be downloaded from ${new URL(url).host}: ${reasonOf(error)}`,
      `${done > 0 ? `The same command goes on after ${megabytes(done)} MB. ` : ''}${withoutNetwork()}`,
    );
  } finally {
    progress.stop();
  }
  const received = await integrityOf(partial, integrity);
  if (received !== integrity) {
    await rm(partial, { force: true });
    throw new RequestError(
      `${what} is not what was published: its hash is ${received}, ${integrity} was expected`,
      'Something between here and the registry changes files, or the download was damaged: run the same command again.',
    );
  }
  await rename(partial, file);
}

async function append(url: string, partial: string, bytes: number, what: string, progress: Progress): Promise<void> {
  const response = await fetch(url, bytes > 0 ? { headers: { range: `bytes=${bytes}-` } } : {});
  if (response.status === 416) return; // nothing is left: the hash tells whether all of it is there
  if (!response.ok || !response.body) {
    throw new RequestError(
      `${what}: ${url} answers ${response.status} ${response.statusText}`.trim(),
      withoutNetwork(),
    );
  }
  const goesOn = response.status === 206;
  let done = goesOn ? bytes : 0;
  const total = done + Number(response.headers.get('content-length') ?? 0);
  progress.start(`${what}, MB`, megabytes(total), {}, megabytes(done));
  const count = new Transform({
    transform(chunk: Buffer, _, next) {
      done += chunk.length;
      progress.update(megabytes(done));
      next(null, chunk);
    },
  });
  const body = Readable.fromWeb(response.body as ReadableStream<Uint8Array>);
  await pipeline(body, count, createWriteStream(partial, { flags: goesOn ? 'a' : 'w' }));
}

/** The hash of a file in the algorithm of `like`, written in the same way. */
export async function integrityOf(file: string, like: string): Promise<string> {
  const algorithm = like.slice(0, like.indexOf('-'));
  const hash = createHash(algorithm);
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return `${algorithm}-${hash.digest('base64')}`;
}

/** A small JSON document. @throws RequestError */
export async function fetchJson(url: string, what: string): Promise<unknown> {
  const response = await fetch(url).catch((error: unknown) => {
    throw new RequestError(`${what}: ${new URL(url).host} is not reached: ${reasonOf(error)}`, withoutNetwork());
  });
  if (!response.ok) {
    throw new RequestError(
      `${what}: ${url} answers ${response.status} ${response.statusText}`.trim(),
      withoutNetwork(),
    );
  }
  return response.json().catch(() => {
    throw new RequestError(`${what}: ${url} answers with something else than JSON`, withoutNetwork());
  });
}

/** `fetch` says only that it failed; its cause says why. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return messageOf(cause ?? error) || String((cause as NodeJS.ErrnoException | undefined)?.code);
}

function isDiskError(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EACCES', 'EROFS', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '');
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e6);
}
