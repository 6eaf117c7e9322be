/**
 * The split files of VPT (Visual Prompt Tuning, its fgvc_split.zip): train.json, val.json and test.json, each one
 * flat object from image path to raw class id. File order is sample order. Ids may be numbers or zero-padded strings
 * (CUB).
 *
 * Raw ids become labels by their rank among all ids of the data set. VPT ranks the ids of each file by itself, which
 * mislabels most of NABirds' validation images because two classes are missing there; here one map serves all three
 * files.
 */
import path from 'node:path';
import { RequestError } from '../../../shared/errors.js';
import { readJson } from '../../../shared/files.js';
import type { Sample } from '../../dataset.js';
import { findFolderWith } from '../layouts/source-folder.js';
import { toInteger } from './text-table.js';

/** Pairs of image path and raw class id, in file order. */
export type VptList = readonly (readonly [key: string, classId: number])[];
export interface VptSplits {
  readonly folder: string;
  readonly train: VptList;
  readonly val: VptList;
  readonly test: VptList;
}

const testFile = 'test.json';
const valFile = 'val.json';

/**
 * Reads VPT's split files below `folder`; undefined when there are none, a RequestError when only some are there.
 * @param fraction part of the training images, reads `train_<fraction>.json` instead of train.json
 */
export async function readVptSplits(folder: string, fraction?: string): Promise<VptSplits | undefined> {
  const trainFile = fraction === undefined ? 'train.json' : `train_${fraction}.json`;
  const wanted = [trainFile, valFile, testFile];
  const complete = await findFolderWith(folder, wanted);
  if (complete !== undefined) {
    return {
      folder: complete,
      train: await readList(path.join(complete, trainFile)),
      val: await readList(path.join(complete, valFile)),
      test: await readList(path.join(complete, testFile)),
    };
  }
  const missing: string[] = [];
  for (const file of wanted) if ((await findFolderWith(folder, [file])) === undefined) missing.push(file);
  if (missing.length === wanted.length && fraction === undefined) return undefined;
  throw new RequestError(
    missing.length > 0
      ? `${folder} has VPT split files, but not ${missing.join(', ')}`
      : `${wanted.join(', ')} below ${folder} are in different folders`,
    'Put train.json, val.json and test.json of one data set side by side, or remove them to split without them.',
  );
}

async function readList(file: string): Promise<VptList> {
  const content = await readJson<unknown>(file);
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new RequestError(
      `${file}: expected a mapping from images to classes, received ${JSON.stringify(content).slice(0, 60)}`,
      'Use the split files of VPT (fgvc_split.zip), or remove them to split without them.',
    );
  }
  return Object.entries(content).map(([key, value]) => [key, toInteger(value, `${file}, class of ${key}`)]);
}

/** All raw class ids of the three files, ascending by number. */
export function vptClassIds(splits: VptSplits): number[] {
  const ids = new Set([...splits.train, ...splits.val, ...splits.test].map(([, id]) => id));
  return [...ids].sort((a, b) => a - b);
}

/** Samples of one list; an id that is not among `classIds` is a RequestError. */
export function vptSamples(
  list: VptList,
  classIds: readonly number[],
  pathOf: (key: string) => string,
  where: string,
): Sample[] {
  const labelOf = new Map(classIds.map((id, label) => [id, label]));
  return list.map(([key, id]) => {
    const label = labelOf.get(id);
    if (label === undefined) {
      const range = `${classIds[0]} to ${classIds.at(-1)}`;
      throw new RequestError(`${where}: class ${id} of ${key} is out of range, allowed are ${range}`);
    }
    return { file: pathOf(key), label };
  });
}
