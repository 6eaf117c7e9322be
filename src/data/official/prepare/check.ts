/**
 * Compares a data set on disk with what is known about it: images per split and class, readable images, and images
 * that lie both in training and in test.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { SplitCounts } from '../../../config/official-datasets.js';
import { messageOf, RequestError } from '../../../shared/errors.js';
import { estaCommand, formatNextStep } from '../../../shared/next-step.js';
import { forEachLimited } from '../../batches/concurrency.js';
import type { Dataset, Sample } from '../../dataset.js';
import { readImageFolder } from '../../image-folder.js';
import { decodeImage } from '../../images/decode.js';
import { allSamples, trainAndValidation } from '../../splits.js';
import type { ClassRange, OfficialSpec, OnActivity } from '../layouts/layout.js';
import { openPrepared } from '../open.js';
import { type OfficialDataset, readOfficialLayout, type SplitOrigin } from '../read.js';

export interface CheckResult {
  readonly dataset: string;
  /** no problems; duplicates and warnings do not count */
  readonly ok: boolean;
  /** of official data sets */
  readonly origin?: SplitOrigin;
  readonly notes: readonly string[];
  readonly images: SplitCounts;
  /** of official data sets */
  readonly expected?: SplitCounts;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
  readonly unreadable: readonly { readonly file: string; readonly reason: string }[];
  /** groups of files with the same bytes that lie in test and in train or val */
  readonly duplicates: readonly { readonly test: string; readonly training: string }[];
}

/**
 * Checks a data set in `root`, the data root or its own folder. A folder that holds no such data set is a
 * RequestError.
 */
export async function checkOfficial(
  spec: OfficialSpec,
  root: string,
  progress: OnActivity = () => {},
): Promise<CheckResult> {
  const dataset = await open(spec, root);
  const found = await checkImages(dataset, progress);
  const { problems, warnings } = compareCounts(spec, dataset, found.images);
  return {
    ...found,
    ok: problems.length === 0 && found.ok,
    origin: dataset.origin,
    notes: dataset.notes,
    expected: spec.counts,
    problems: [...problems, ...found.problems],
    warnings: [...warnings, ...found.warnings],
  };
}

/** Checks `<root>/{train,val,test}/<class>/`, of which no numbers are known; a folder of another form is a RequestError. */
export async function checkImageFolder(root: string, progress: OnActivity = () => {}): Promise<CheckResult> {
  const folder = await readImageFolder({ name: 'image-folder', root });
  const found = await checkImages(folder, progress);
  return { ...found, warnings: [...folder.notes, ...found.warnings] };
}

/** What the images show by themselves. */
async function checkImages(dataset: Dataset, progress: OnActivity): Promise<CheckResult> {
  const { train, val = [], test } = dataset.splits;
  const { unreadable, hashes } = await readImages(allSamples(dataset.splits), progress);
  const duplicates = findDuplicates(trainAndValidation(dataset.splits), test, hashes);
  const problems = sharedFiles(dataset);
  if (unreadable.length > 0)
    problems.push(`${unreadable.length} images cannot be read, such as ${unreadable[0]!.file}`);
  const [first] = duplicates;
  const warnings = [
    ...(first
      ? [`${duplicates.length} test images are also training images, byte for byte: ${first.test} = ${first.training}`]
      : []),
    ...contradictions(dataset, hashes),
  ];
  return {
    dataset: dataset.name,
    ok: problems.length === 0,
    notes: [],
    images: { train: train.length, val: val.length, test: test.length },
    problems,
    warnings,
    unreadable,
    duplicates,
  };
}

async function open(spec: OfficialSpec, root: string): Promise<OfficialDataset> {
  const prepared = await openPrepared(spec, root);
  if (prepared) return prepared;
  if (spec.convert) {
    const command = estaCommand('data', 'prepare', spec.name, '--root', root);
    throw new RequestError(
      `${root} holds no prepared ${spec.title}`,
      formatNextStep({ purpose: 'Prepare it, or see what to download:', command }),
    );
  }
  return readOfficialLayout(spec, root);
}

function compareCounts(spec: OfficialSpec, dataset: Dataset, images: SplitCounts) {
  const problems: string[] = [];
  const warnings: string[] = [];
  if (dataset.classes.length !== spec.classes) {
    problems.push(`${dataset.classes.length} classes, expected ${spec.classes}`);
  }
  for (const split of ['train', 'val', 'test'] as const) {
    if (images[split] === spec.counts[split]) continue;
    const tolerated = split === 'test' && spec.testCountVaries;
    (tolerated ? warnings : problems).push(`${split} has ${images[split]} images, expected ${spec.counts[split]}`);
  }
  if (spec.perClass) {
    const { splits } = dataset;
    problems.push(...classesOutside(dataset, trainAndValidation(splits), spec.perClass.train, 'train and val'));
    problems.push(...classesOutside(dataset, splits.test, spec.perClass.test, 'test'));
  }
  return { problems, warnings };
}

function classesOutside(
  { classes }: Dataset,
  samples: readonly Sample[],
  [fewest, most]: ClassRange,
  where: string,
): string[] {
  const counts = new Array<number>(classes.length).fill(0);
  for (const { label } of samples) counts[label] = (counts[label] ?? 0) + 1;
  const allowed = fewest === most ? `${fewest}` : `${fewest} to ${most}`;
  return counts.flatMap((count, label) =>
    count >= fewest && count <= most
      ? []
      : [`class ${label} (${classes[label] ?? 'unknown'}) has ${count} images in ${where}, expected ${allowed}`],
  );
}

/** Images that lie in two classes, byte for byte: one of their labels is wrong. */
function contradictions({ classes, splits }: Dataset, hashes: ReadonlyMap<string, string>): string[] {
  const firstOf = new Map<string, Sample>();
  const pairs: (readonly [Sample, Sample])[] = [];
  for (const sample of allSamples(splits)) {
    const hash = hashes.get(sample.file);
    if (hash === undefined) continue;
    const first = firstOf.get(hash);
    if (first === undefined) firstOf.set(hash, sample);
    else if (first.label !== sample.label) pairs.push([first, sample]);
  }
  const [pair] = pairs;
  if (!pair) return [];
  const [one, other] = pair.map(({ file, label }) => `${file} (${classes[label]})`);
  return [`${pairs.length} images are those of another class, byte for byte: ${other} = ${one}`];
}

/** Files that are listed in two splits, or twice in one. */
function sharedFiles({ splits }: Dataset): string[] {
  const seen = new Map<string, string>();
  const problems: string[] = [];
  for (const [split, samples] of Object.entries(splits) as [string, readonly Sample[]][]) {
    for (const { file } of samples) {
      const other = seen.get(file);
      if (other !== undefined) problems.push(`${file} is listed in ${other} and in ${split}`);
      seen.set(file, split);
    }
  }
  return problems;
}

async function readImages(samples: readonly Sample[], progress: OnActivity) {
  const unreadable: { file: string; reason: string }[] = [];
  const hashes = new Map<string, string>();
  await forEachLimited(samples, async ({ file }, done) => {
    try {
      await decodeImage(file, { interpolation: 'bilinear' });
      hashes.set(
        file,
        createHash('sha256')
          .update(await readFile(file))
          .digest('base64'),
      );
    } catch (error) {
      unreadable.push({ file, reason: messageOf(error) });
    }
    progress('reading images', done, samples.length);
  });
  return { unreadable: unreadable.sort((a, b) => (a.file < b.file ? -1 : 1)), hashes };
}

function findDuplicates(training: readonly Sample[], test: readonly Sample[], hashes: ReadonlyMap<string, string>) {
  const trainingOf = new Map<string, string>();
  for (const { file } of training) {
    const hash = hashes.get(file);
    if (hash !== undefined) trainingOf.set(hash, file);
  }
  return test.flatMap(({ file }) => {
    const same = trainingOf.get(hashes.get(file) ?? '');
    return same === undefined ? [] : [{ test: file, training: same }];
  });
}
