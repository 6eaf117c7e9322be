/**
 * A fingerprint of what a result depends on in its data set: the names of the classes in their order, and for each split the
 * images in their order, each with its label, its path below the folder that all images share, and its size in bytes.
 *
 * So it stays when the data set is moved, and changes when a class or an image is added, removed, renamed, or replaced by
 * one of another size. It does not see an image that was changed within the same number of bytes: reading all contents
 * would take as long as decoding them.
 */
import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import path from 'node:path';
import { RequestError } from '../shared/errors.js';
import type { Dataset, Sample } from './dataset.js';

/**
 * Looks for every file one after the other: 25 us each on a busy machine, a third of what promises take.
 * @returns 64 hexadecimal digits
 * @throws RequestError for an image that is not there
 */
export function fingerprintOf(dataset: Pick<Dataset, 'classes' | 'splits'>): string {
  return fingerprintOfSizes(dataset, sizeOfFile);
}

/** The fingerprint of files whose sizes in bytes are known. */
export function fingerprintOfSizes(
  { classes, splits }: Pick<Dataset, 'classes' | 'splits'>,
  sizeOf: (file: string) => number,
): string {
  const parts = Object.entries({ train: splits.train, val: splits.val ?? [], test: splits.test });
  const shared = sharedFolder(parts.flatMap(([, samples]) => samples));
  const hash = createHash('sha256').update(JSON.stringify(classes));
  for (const [split, samples] of parts) {
    for (const { file, label } of samples) {
      const name = file.slice(shared.length).split(path.sep).join('/');
      hash.update(`\n${JSON.stringify([split, label, name, sizeOf(file)])}`);
    }
  }
  return hash.digest('hex');
}

/** The longest folder that all files are in, with its separator; empty where there is none. */
function sharedFolder(samples: readonly Sample[]): string {
  const [first, ...others] = samples;
  if (first === undefined) return '';
  let shared = path.dirname(first.file) + path.sep;
  for (const { file } of others) {
    while (!file.startsWith(shared)) {
      const above = path.dirname(shared);
      if (above === path.dirname(above)) return '';
      shared = above + path.sep;
    }
  }
  return shared;
}

/** Bytes. */
function sizeOfFile(file: string): number {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found) return found.size;
  throw new RequestError(
    `image ${file} is not there`,
    'Check the path and its permissions; the data set may have been moved since it was listed.',
  );
}
