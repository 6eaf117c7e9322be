/**
 * From downloaded archives (or an unpacked folder) to a data set that experiments can open. Every step leaves either
 * nothing or a complete result under its final name, so the same command after an interruption goes on where it
 * stopped.
 */
import { copyFile, mkdir, readdir, rename, stat } from 'node:fs/promises';
import path from 'node:path';
import type { SplitCounts } from '../../../config/official-datasets.js';
import { messageOf, RequestError } from '../../../shared/errors.js';
import { forEachLimited } from '../../batches/concurrency.js';
import type { Dataset, Sample } from '../../dataset.js';
import { allSamples } from '../../splits.js';
import { explainStorageError } from '../../storage-errors.js';
import type { OfficialSpec, OnActivity } from '../layouts/layout.js';
import { readOfficialLayout, type SplitOrigin, type SplitRequest, splitDefaults } from '../read.js';
import { isArchive, isUnpacked, unpack, verify } from './archives.js';
import { downloadInstructions } from './download-instructions.js';
import { splitsFile, writePrepared } from './prepared.js';
import { cachedFile, writeTrainingCache } from './training-cache.js';

export interface PrepareRequest extends SplitRequest {
  /**
   * archives, label files, or one unpacked folder that is used in place; left out: the data set's folder in the data
   * root
   */
  readonly from?: readonly string[];
  /** data root; the data set gets a folder there */
  readonly root: string;
  /** shorter edge in pixels of a training cache; left out: the images are used as they are */
  readonly resize?: number;
  /** compare archives with the published MD5 sums, default true */
  readonly verify?: boolean;
}

export interface Prepared {
  readonly dataset: string;
  readonly splitsFile: string;
  readonly images: SplitCounts;
  readonly classes: number;
  readonly origin: SplitOrigin;
  readonly notes: readonly string[];
}

const splitFileName = /^(train(_[\d.]+)?|val|test)\.json$/;

/** Prepares data sets that come in the same archives (one, or the tasks of VTAB-1k). */
export async function prepareOfficial(
  specs: readonly OfficialSpec[],
  request: PrepareRequest,
  progress: OnActivity = () => {},
): Promise<Prepared[]> {
  const [first] = specs;
  if (first === undefined) return [];
  const target = path.join(request.root, first.folder);
  try {
    const source = await gather(first, request, target, progress);
    const prepared: Prepared[] = [];
    for (const spec of specs) prepared.push(await prepareOne(spec, source, target, request, progress));
    return prepared;
  } catch (error) {
    throw explainStorageError(error, target, 'Choose another data root with --root DIR.');
  }
}

async function prepareOne(
  spec: OfficialSpec,
  unpacked: string,
  target: string,
  request: PrepareRequest,
  progress: OnActivity,
): Promise<Prepared> {
  let images = unpacked;
  if (spec.convert) {
    images = path.join(target, 'png');
    await spec.convert(unpacked, images, progress);
  }
  let dataset = await readOfficialLayout(spec, images, request);
  refuseOutside(dataset, images);
  await checkFilesExist(dataset, progress);
  if (request.resize !== undefined) {
    const cache = path.join(target, `resized-${request.resize}`);
    await writeTrainingCache(allSamples(dataset.splits), images, cache, request.resize, progress);
    dataset = { ...dataset, splits: mapFiles(dataset, (file) => cachedFile(file, images, cache)) };
    images = cache;
  }
  const { validationFraction: fraction, splitSeed: seed } = { ...splitDefaults, ...request };
  const file = splitsFile(spec, target);
  await writePrepared(
    file,
    {
      ...dataset,
      ...(dataset.origin === 'drawn' && { drawn: { fraction, seed } }),
      ...(request.resize !== undefined && { resized: request.resize }),
    },
    images,
  );
  const { train, val = [], test } = dataset.splits;
  return {
    dataset: spec.name,
    splitsFile: file,
    images: { train: train.length, val: val.length, test: test.length },
    classes: dataset.classes.length,
    origin: dataset.origin,
    notes: dataset.notes,
  };
}

/** Unpacks archives and copies label files into `target`; returns the folder to read the layout from. */
async function gather(
  spec: OfficialSpec,
  request: PrepareRequest,
  target: string,
  progress: OnActivity,
): Promise<string> {
  if (request.from === undefined) await requireFolder(target, spec);
  let inPlace: string | undefined;
  for (const given of request.from ?? []) {
    const found = await stat(given).catch((error: unknown) => {
      throw new RequestError(`--from ${given} cannot be read: ${messageOf(error)}`);
    });
    const files = found.isDirectory() ? await knownFilesIn(spec, given) : [given];
    if (files.length === 0) inPlace = given;
    for (const file of files) await take(file, spec, request, target, progress);
  }
  if (inPlace !== undefined && request.from!.length > 1) {
    throw new RequestError(
      `--from ${inPlace} is a folder without archives, and other sources were named too`,
      'Name either archives and label files, or one unpacked folder.',
    );
  }
  return inPlace === undefined ? target : path.resolve(inPlace);
}

async function requireFolder(folder: string, spec: OfficialSpec): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory()) return;
  throw new RequestError(`there is no ${spec.title} in ${folder}`, downloadInstructions(spec).join('\n'));
}

/** Archives and label files in a download folder; nothing when it holds no archive and so is an unpacked data set. */
async function knownFilesIn(spec: OfficialSpec, folder: string): Promise<string[]> {
  const names = await readdir(folder);
  const archives = names.filter((name) => spec.archives.some(({ file }) => file === name));
  if (archives.length === 0) return [];
  const loose = names.filter(
    (name) => spec.looseFiles.some(({ file }) => file === name) || (spec.layout.vptPaths && splitFileName.test(name)),
  );
  return [...archives, ...loose].sort().map((name) => path.join(folder, name));
}

async function take(
  file: string,
  spec: OfficialSpec,
  request: PrepareRequest,
  target: string,
  progress: OnActivity,
): Promise<void> {
  const name = path.basename(file);
  const known = [...spec.archives, ...spec.looseFiles].find((each) => each.file === name);
  const check = async () => {
    if (request.verify ?? true) await verify(file, known, progress);
  };
  if (isArchive(file)) {
    if (await isUnpacked(file, target)) return;
    await check();
    await unpack(file, target, progress);
  } else if (known !== undefined || splitFileName.test(name)) {
    await check();
    await mkdir(target, { recursive: true });
    await copyFile(file, path.join(target, `${name}.tmp`));
    await rename(path.join(target, `${name}.tmp`), path.join(target, name));
  } else {
    const expected = [...spec.archives, ...spec.looseFiles].map((each) => each.file).join(', ');
    throw new RequestError(`${file} is no archive or label file of ${spec.title}`, `Expected are ${expected}.`);
  }
}

/** Its shrunk copy would be written outside of the folder of copies. */
function refuseOutside(dataset: Dataset, images: string): void {
  const steps = (file: string) => path.relative(images, file).split(path.sep);
  const outside = allSamples(dataset.splits).find(({ file }) => steps(file)[0] === '..' || steps(file)[0] === '');
  if (outside === undefined) return;
  throw new RequestError(
    `${dataset.name} lists an image outside of its folder ${images}: ${outside.file}`,
    'Correct the list that names it: images lie below the folder of the data set.',
  );
}

async function checkFilesExist(dataset: Dataset, progress: OnActivity): Promise<void> {
  const samples = allSamples(dataset.splits);
  const missing: string[] = [];
  await forEachLimited(samples, async ({ file }, done) => {
    await stat(file).catch(() => missing.push(file));
    progress('looking for images', done, samples.length);
  });
  if (missing.length === 0) return;
  throw new RequestError(
    `${missing.length} of ${samples.length} images of ${dataset.name} are missing, the first is ${missing.sort()[0]}`,
    'Unpack the archives again; an interrupted copy leaves such gaps.',
  );
}

function mapFiles({ splits: { train, val, test } }: Dataset, change: (file: string) => string): Dataset['splits'] {
  const all = (samples: readonly Sample[]) => samples.map(({ file, label }) => ({ file: change(file), label }));
  return { train: all(train), ...(val && { val: all(val) }), test: all(test) };
}
