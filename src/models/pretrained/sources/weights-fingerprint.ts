/**
 * A fingerprint of the contents of weight files. Of a file of up to 64 MiB every byte is hashed. Of a larger one these are:
 * its size, its first and last MiB (so all names and shapes), and 64 ranges of 256 KiB at equal distances, so that a file of
 * gigabytes costs milliseconds. Another network, another training or another precision changes them all; a change of a few
 * values between the ranges is not seen.
 */
import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import path from 'node:path';
import { RequestError } from '../../../shared/errors.js';
import { readWeightMap } from '../formats/shards.js';
import { weightFile } from './source.js';

const mebibyte = 2 ** 20;
const wholeUpTo = 64 * mebibyte;
const sampledRanges = 64;
const rangeBytes = mebibyte / 4;

/**
 * 16 hexadecimal digits; parameters as `openWeights`'s. The hub is not asked: its weights are in its cache once they were used.
 * @throws RequestError where the weights are not there
 */
export async function weightsFingerprint(source: string, architecture: string): Promise<string> {
  const file = await weightFile(source, architecture, { ...process.env, HF_HUB_OFFLINE: '1' });
  const hash = createHash('sha256');
  for (const each of await filesOf(file)) await addFile(hash, each);
  return hash.digest('hex').slice(0, 16);
}

/** An index and its shards, or the file itself. */
async function filesOf(file: string): Promise<string[]> {
  if (!file.endsWith('.safetensors.index.json')) return [file];
  const shards = new Set((await readWeightMap(file)).values());
  return [file, ...[...shards].sort().map((name) => path.join(path.dirname(file), name))];
}

async function addFile(hash: Hash, file: string): Promise<void> {
  const handle = await open(file).catch((error: NodeJS.ErrnoException) => {
    throw new RequestError(
      `weights ${file} ${error.code === 'ENOENT' ? 'are not there' : `cannot be read (${error.code})`}`,
      'Check the path of the checkpoint, and its permissions; weights of the hub are named hf-hub:OWNER/NAME.',
    );
  });
  try {
    const { size } = await handle.stat();
    hash.update(`${size}\n`);
    for (const [start, end] of rangesOf(size)) hash.update(await readRange(handle, start, end));
  } finally {
    await handle.close();
  }
}

function rangesOf(size: number): [start: number, end: number][] {
  if (size <= wholeUpTo) {
    const count = Math.ceil(size / mebibyte);
    return Array.from({ length: count }, (_, index) => [index * mebibyte, Math.min((index + 1) * mebibyte, size)]);
  }
  const sampled = Array.from({ length: sampledRanges }, (_, index): [number, number] => {
    const start = Math.floor((size / sampledRanges) * index);
    return [start, start + rangeBytes];
  });
  return [[0, mebibyte], ...sampled, [size - mebibyte, size]];
}

async function readRange(handle: FileHandle, start: number, end: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(end - start), 0, end - start, start);
  return buffer.subarray(0, bytesRead);
}
