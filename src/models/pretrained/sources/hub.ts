/**
 * Weights from the Hugging Face hub, `hf-hub:OWNER/NAME[@REVISION]` as timm writes it. What is in the cache is used as it
 * is, without asking the hub, so that an experiment repeats with the same weights and works offline.
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import type { PathInfo } from '@huggingface/hub';
import { RequestError } from '../../../shared/errors.js';
import { exists } from '../../../shared/files.js';
import { readWeightMap } from '../formats/shards.js';
import { preprocessingFiles } from '../preprocessing.js';
import { type Environment, type HubAddress, HubCache } from './hub-cache.js';
import { chooseWeightFile, indexFile } from './weight-files.js';

const publicHub = 'https://huggingface.co';

/** Splits `hf-hub:OWNER/NAME[@REVISION]`; the revision defaults to main. */
export function parseHubAddress(source: string): HubAddress {
  const match = /^hf-hub:([\w-][\w.-]*\/[\w-][\w.-]*)(?:@([\w-][\w./-]*))?$/.exec(source);
  if (match && !source.includes('..')) return { repository: match[1]!, revision: match[2] ?? 'main' };
  throw new RequestError(
    `${JSON.stringify(source)} is not an address on the Hugging Face hub`,
    'Write hf-hub:OWNER/NAME or hf-hub:OWNER/NAME@REVISION, such as hf-hub:timm/vit_small_patch16_224.augreg_in21k.',
  );
}

/** The weight file of a repository in the local cache, fetched if it is not there yet (with its shards). */
export async function fetchFromHub(source: string, environment: Environment = process.env): Promise<string> {
  const address = parseHubAddress(source);
  const cache = new HubCache(address, environment);
  const cached = await cache.weightFile();
  if (cached) return cached;
  if (/^(1|true|yes|on)$/i.test(environment['HF_HUB_OFFLINE'] ?? '')) {
    throw new RequestError(
      `${source} is not in ${cache.folder}, and HF_HUB_OFFLINE is set`,
      offlineHint(address, cache),
    );
  }
  const hubUrl = (environment['HF_ENDPOINT'] || publicHub).replace(/\/+$/, '');
  const accessToken = environment['HF_TOKEN'];
  try {
    return await download(address, cache, { hubUrl, ...(accessToken && { accessToken }) });
  } catch (error) {
    throw explained(error, source, hubUrl, offlineHint(address, cache));
  }
}

interface HubAccess {
  readonly hubUrl: string;
  readonly accessToken?: string;
}

async function download({ repository, revision }: HubAddress, cache: HubCache, access: HubAccess): Promise<string> {
  const { modelInfo } = await import('@huggingface/hub');
  const info = await modelInfo({ name: repository, revision, additionalFields: ['sha', 'filePaths'], ...access });
  const commit = info.sha;
  const fetched = async (names: readonly string[]) => {
    await downloadFiles(repository, commit, names, cache, access);
  };
  const chosen = chooseWeightFile(
    `hf-hub:${repository}`,
    info.filePaths.filter((name) => !name.includes('/')),
  );
  const file = cache.snapshotFile(commit, chosen);
  // What tells how images are prepared lies beside the weights.
  await fetched([chosen, ...preprocessingFiles.filter((name) => info.filePaths.includes(name))]);
  if (chosen === indexFile) await fetched([...new Set((await readWeightMap(file)).values())]);
  await cache.setCommit(commit);
  return file;
}

async function downloadFiles(
  repository: string,
  commit: string,
  names: readonly string[],
  cache: HubCache,
  access: HubAccess,
): Promise<void> {
  const { pathsInfo } = await import('@huggingface/hub');
  const infos = await pathsInfo({ repo: repository, paths: [...names], revision: commit, ...access });
  for (const name of names) {
    const info = infos.find((item) => item.path === name);
    if (!info) throw new RequestError(`hf-hub:${repository} has no file ${name}`);
    const etag = info.lfs?.oid ?? info.oid!;
    if (!(await exists(cache.blob(etag)))) await downloadBlob(repository, commit, info, cache.blob(etag), access);
    await cache.addToSnapshot(commit, name, etag);
  }
}

/** Streams to a temporary file that gets its name once its size and checksum are right. */
async function downloadBlob(
  repository: string,
  commit: string,
  info: PathInfo,
  blob: string,
  access: HubAccess,
): Promise<void> {
  const { downloadFile } = await import('@huggingface/hub');
  const content = await downloadFile({ repo: repository, path: info.path, revision: commit, ...access });
  if (!content) throw new RequestError(`hf-hub:${repository} has no file ${info.path}`);
  await mkdir(path.dirname(blob), { recursive: true });
  const incomplete = `${blob}.${process.pid}.incomplete`;
  const hash = createHash('sha256');
  let size = 0;
  const count = async function* (chunks: AsyncIterable<Uint8Array>) {
    for await (const chunk of chunks) {
      hash.update(chunk);
      size += chunk.length;
      yield chunk;
    }
  };
  try {
    await pipeline(Readable.fromWeb(content.stream() as ReadableStream), count, createWriteStream(incomplete));
    const checksum = hash.digest('hex');
    if (size !== info.size || (info.lfs && checksum !== info.lfs.oid)) {
      throw new RequestError(
        `${info.path} of hf-hub:${repository} arrived damaged: ${size} of ${info.size} bytes, SHA-256 ${checksum}`,
        'Run the same command again.',
      );
    }
    await rename(incomplete, blob);
  } finally {
    await rm(incomplete, { force: true });
  }
}

function offlineHint({ repository, revision }: HubAddress, { folder }: HubCache): string {
  return (
    `Without network: on another machine run \`hf download ${repository} --revision ${revision}\` and copy its ` +
    `${path.basename(folder)} folder to ${folder}, or give the path of the weight file as checkpoint.`
  );
}

/** Answers of the hub and failures of the network are the user's to solve; anything else is a bug and stays as it is. */
function explained(error: unknown, source: string, hubUrl: string, hint: string): unknown {
  if (error instanceof RequestError) return error;
  const { statusCode, cause } = error as { statusCode?: number; cause?: { code?: string; message?: string } };
  if (statusCode === 401 || statusCode === 403) {
    return new RequestError(
      `${hubUrl} refuses ${source} (status ${statusCode}): it does not exist, is private, or asks to accept its licence`,
      'Check the name; accept the licence on its page; put an access token into the environment variable HF_TOKEN.',
    );
  }
  if (statusCode === 404) {
    return new RequestError(`${hubUrl} has no ${source}`, 'Check owner, name and revision.');
  }
  if (statusCode !== undefined) {
    return new RequestError(`${hubUrl} answered ${statusCode} for ${source}`, `Try again later. ${hint}`);
  }
  // fetch reports every failure of the network as a TypeError with the system's error as its cause.
  if (error instanceof TypeError && cause) {
    return new RequestError(
      `${source} is not in the cache and ${hubUrl} cannot be reached (${cause.code ?? cause.message})`,
      hint,
    );
  }
  return error;
}
