/** What is wrong with data sets, said before anything is written or trained: they are listed, no image is decoded. */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { ImageDatasetConfig } from '../config/schema/dataset.js';
import { isExpected } from '../shared/errors.js';
import { exists } from '../shared/files.js';
import type { Dataset } from './dataset.js';
import { chosenBy, listWhole } from './load.js';
import { allSamples } from './splits.js';

/** What an experiment needs of its data sets. */
export interface InputNeeds {
  /** images of a training step: there must be at least so many training images */
  readonly batchSize: number;
  /** of the trials: few-shot images differ between them */
  readonly seeds: readonly number[];
  /** pixels that images are resized to; left out: any */
  readonly resize?: number;
  /** whether something is chosen on the validation images: a learning rate, or stitches */
  readonly needsValidation: boolean;
}

/**
 * Every problem of every data set, one sentence each with what to do: missing folders, label files and images, classes
 * that do not agree, too few images for a batch, no validation or test images. An empty list: all can be trained.
 */
export async function problemsOf(datasets: readonly ImageDatasetConfig[], needs: InputNeeds): Promise<string[]> {
  const problems: string[] = [];
  for (const config of datasets) {
    for (const problem of await problemsOfOne(config, needs)) problems.push(`data set ${config.name}: ${problem}`);
  }
  return problems;
}

async function problemsOfOne(config: ImageDatasetConfig, needs: InputNeeds): Promise<string[]> {
  if ('root' in config && !(await exists(config.root))) return [`${config.root} is not there`];
  const problems = new Set<string>();
  try {
    const whole = await listWhole(config);
    // the images of a folder were listed from the folder itself, and species are yet to be drawn
    if (config.kind !== 'image-folder' && config.kind !== 'species') {
      for (const problem of await missingImages(whole)) problems.add(problem);
    }
    if (whole.resized !== undefined && needs.resize !== undefined && whole.resized < needs.resize) {
      problems.add(
        `its images were shrunk to ${whole.resized} pixels when it was prepared, and would be enlarged to ${needs.resize} again. Prepare it with --resize ${needs.resize}, or set preprocessing.resize to at most ${whole.resized}.`,
      );
    }
    for (const seed of needs.seeds) {
      for (const problem of countProblems(await chosenBy(config, whole, seed), needs)) problems.add(problem);
    }
  } catch (error) {
    if (!isExpected(error)) throw error;
    problems.add(error.hint === undefined ? error.message : `${error.message}. ${error.hint}`);
  }
  return [...problems];
}

function countProblems({ splits }: Dataset, { batchSize, needsValidation }: InputNeeds): string[] {
  const { train, val = [], test } = splits;
  const problems: string[] = [];
  if (train.length === 0) problems.push('no training images. Add them, or look into the list that names them.');
  else if (train.length < batchSize) {
    problems.push(
      `${train.length} training images do not fill a batch. Set training.batch_size, now ${batchSize}, to at most ${train.length}, or add images.`,
    );
  }
  if (needsValidation && val.length === 0) {
    problems.push(
      'no validation images, on which learning rates or stitches are chosen: no class can spare a training image. ' +
        'Add a folder val/, or choose nothing by them: one base learning rate, deploy_by importance, leave_out_beaten false.',
    );
  }
  if (test.length === 0) problems.push('no test images. Add them: accuracies are reported on nothing else.');
  return problems;
}

/** Lists each folder once, which is much faster than looking for each file. */
async function missingImages({ splits }: Dataset): Promise<string[]> {
  const samples = allSamples(splits);
  const listings = new Map<string, ReadonlySet<string>>();
  const missing: string[] = [];
  for (const { file } of samples) {
    const folder = path.dirname(file);
    if (!listings.has(folder)) listings.set(folder, new Set(await readdir(folder).catch(() => [])));
    // a file system that ignores case or spelling has the file by another name
    if (!listings.get(folder)!.has(path.basename(file)) && !(await exists(file))) missing.push(file);
  }
  if (missing.length === 0) return [];
  return [
    `${missing.length} of ${samples.length} images are missing, such as ${missing[0]}. Unpack the archives again; an interrupted copy leaves such gaps.`,
  ];
}
