/**
 * Reads an official data set from its own layout, with the splits that experiments use:
 *  1. VPT's split files where they are given or lie beside the data;
 *  2. else the official validation part (Flowers, VTAB-1k);
 *  3. else a stratified tenth of the official training part, drawn with an explicit seed: same sizes as VPT's, other
 *     images.
 */
import { isExpected, messageOf, RequestError } from '../../shared/errors.js';
import type { Dataset, Sample } from '../dataset.js';
import { withValidation } from '../splits.js';
import type { OfficialLabels, OfficialSpec } from './layouts/layout.js';
import { readVptSplits, type VptSplits, vptClassIds, vptSamples } from './readers/vpt-splits.js';

/** Where the division into train and val comes from. */
export type SplitOrigin = 'vpt' | 'official' | 'drawn';

export interface OfficialDataset extends Dataset {
  readonly origin: SplitOrigin;
  /** what a reader of results must know about the splits, one sentence each */
  readonly notes: readonly string[];
}

export interface SplitRequest {
  /** folder of VPT's train.json, val.json and test.json, when they do not lie in the data set's own folder */
  readonly splits?: string;
  /** reads VPT's `train_<fraction>.json` in place of train.json */
  readonly trainFraction?: string;
  /** share of the training images to draw for validation where the data set has no such part, default 0.1 */
  readonly validationFraction?: number;
  /** seed of that drawing, default 0 */
  readonly splitSeed?: number;
}

export const splitDefaults = { validationFraction: 0.1, splitSeed: 0 } as const;

/** Reads the data set below `folder`; every problem with its files is a RequestError. */
export async function readOfficialLayout(
  spec: OfficialSpec,
  folder: string,
  request: SplitRequest = {},
): Promise<OfficialDataset> {
  const dataset = await readWithSplits(spec, folder, request);
  const found = dataset.classes.length;
  if (found === spec.classes) return dataset;
  const note = `${found} classes were found, the official set has ${spec.classes}: labels are not the official ones.`;
  return { ...dataset, notes: [...dataset.notes, note] };
}

async function readWithSplits(spec: OfficialSpec, folder: string, request: SplitRequest): Promise<OfficialDataset> {
  if (spec.layout.vptPaths) {
    const splits = await readVptSplits(request.splits ?? folder, request.trainFraction);
    if (splits) return readWithVptSplits(spec, folder, splits, await spec.layout.vptPaths(folder));
  }
  if (request.splits !== undefined || request.trainFraction !== undefined) {
    throw new RequestError(`no VPT split files for ${spec.title} below ${request.splits ?? folder}`);
  }
  const { classes, train, val, test } = await spec.layout.readLabels(folder);
  if (val) return { name: spec.name, classes, splits: { train, val, test }, origin: 'official', notes: [] };

  const { validationFraction, splitSeed } = { ...splitDefaults, ...request };
  const official = { name: spec.name, classes, splits: { train, test } };
  const drawn = withValidation(official, validationFraction, splitSeed);
  return {
    ...drawn,
    origin: 'drawn',
    notes: [
      `${100 * validationFraction} % of the official training images were drawn for validation ` +
        `(class by class, seed ${splitSeed}); this is not VPT's split, whose seed is unknown.`,
      ...(drawn.notes ?? []),
    ],
  };
}

async function readWithVptSplits(
  spec: OfficialSpec,
  folder: string,
  splits: VptSplits,
  pathOf: (key: string) => string,
): Promise<OfficialDataset> {
  const { labels, notes } = await labelsOrIds(spec, folder, splits);
  const samples = (part: 'train' | 'val' | 'test') =>
    vptSamples(splits[part], labels.classIds, pathOf, `${splits.folder}/${part}.json`);
  const parts = { train: samples('train'), val: samples('val'), test: samples('test') };
  checkAgreement(splits, [...parts.train, ...parts.val, ...parts.test], labels);
  return { name: spec.name, classes: labels.classes, splits: parts, origin: 'vpt', notes };
}

/** Official labels; without the official label files, which VPT does not need, the ids of all three split files. */
async function labelsOrIds(
  spec: OfficialSpec,
  folder: string,
  splits: VptSplits,
): Promise<{ labels: OfficialLabels; notes: string[] }> {
  try {
    return { labels: await spec.layout.readLabels(folder), notes: [] };
  } catch (error) {
    if (!isExpected(error)) throw error;
    const classIds = vptClassIds(splits);
    if (classIds.length !== spec.classes) {
      throw new RequestError(
        `the split files in ${splits.folder} have ${classIds.length} classes, ${spec.title} has ${spec.classes}`,
        `The official label files could not help: ${messageOf(error)}`,
      );
    }
    const notes = [`Class names are unknown and labels were not compared: ${messageOf(error)}`];
    return { labels: { classIds, classes: classIds.map((id) => `class ${id}`), train: [], test: [] }, notes };
  }
}

/** Split files made for another copy or numbering of the images would give wrong labels silently. */
function checkAgreement(splits: VptSplits, samples: readonly Sample[], labels: OfficialLabels): void {
  const official = [...labels.train, ...(labels.val ?? []), ...labels.test];
  const labelOf = new Map(official.map(({ file, label }) => [file, label]));
  const wrong = samples.find(({ file, label }) => (labelOf.get(file) ?? label) !== label);
  if (wrong === undefined) return;
  const ids = [wrong.label, labelOf.get(wrong.file)!].map((label) => labels.classIds[label]);
  throw new RequestError(
    `the split files in ${splits.folder} say class ${ids[0]} for ${wrong.file}, the official labels say ${ids[1]}`,
    'The split files were made for another copy of the data set.',
  );
}
