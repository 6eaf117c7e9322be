/**
 * Oxford Flowers-102: jpg/image_%05d.jpg, imagelabels.mat (label of every image, 1 to 102) and setid.mat (image
 * numbers of the three official parts). `tstid` is the larger part and is the test set, as in VPT; some works swap it
 * with `trnid`.
 */
import path from 'node:path';
import { officialDatasets } from '../../../config/official-datasets.js';
import { readJson } from '../../../shared/files.js';
import type { Sample } from '../../dataset.js';
import { readMatlab } from '../readers/matlab.js';
import { numbersOf } from '../readers/matlab-values.js';
import { checkRange } from '../readers/text-table.js';
import type { LayoutReader, OfficialLabels } from './layout.js';
import { findFile, requireFolderWith } from './source-folder.js';

const { title } = officialDatasets['oxford-flowers-102'];

/** Reader for `classCount` classes (102; fewer only in miniatures). */
export function oxfordFlowers(classCount: number): LayoutReader {
  return {
    readLabels: (folder) => readLabels(folder, classCount),
    async vptPaths(folder) {
      const root = await requireFolderWith(folder, ['jpg'], title);
      return (key) => path.join(root, key);
    },
  };
}

async function readLabels(folder: string, classCount: number): Promise<OfficialLabels> {
  const labelFolder = await requireFolderWith(folder, ['imagelabels.mat', 'setid.mat'], title);
  const images = path.join(await requireFolderWith(folder, ['jpg'], title), 'jpg');
  const labelFile = path.join(labelFolder, 'imagelabels.mat');
  const labels = numbersOf(await readMatlab(labelFile), 'labels');
  const parts = await readMatlab(path.join(labelFolder, 'setid.mat'));

  const samples = (part: string): Sample[] =>
    numbersOf(parts, part).map((number) => {
      checkRange(number, 1, labels.length, `${parts.file}, ${part}, image number`);
      const label = labels[number - 1]!;
      checkRange(label, 1, classCount, `${labelFile}, label of image ${number}`);
      return { file: path.join(images, `image_${String(number).padStart(5, '0')}.jpg`), label: label - 1 };
    });
  const classIds = Array.from({ length: classCount }, (_, label) => label + 1);
  return {
    classes: await classNames(folder, classIds),
    classIds,
    train: samples('trnid'),
    val: samples('valid'),
    test: samples('tstid'),
  };
}

/** The official set has no names; CoOp's cat_to_name.json, if somebody put it there, has. */
async function classNames(folder: string, classIds: readonly number[]): Promise<string[]> {
  const file = await findFile(folder, 'cat_to_name.json');
  const names = file === undefined ? {} : await readJson<Record<string, string>>(file);
  return classIds.map((id) => names[String(id)] ?? `flower ${id}`);
}
