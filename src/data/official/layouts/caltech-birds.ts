/**
 * CUB-200-2011 and NABirds, which share Caltech's layout: images.txt, image_class_labels.txt, train_test_split.txt
 * and classes.txt, keyed by image id (a number in CUB, a UUID in NABirds), beside images/.
 *
 * NABirds numbers its 555 classes 295 to 1010 with gaps, so a label is the rank of its id among all ids in the label
 * file.
 */
import path from 'node:path';
import { RequestError } from '../../../shared/errors.js';
import type { Sample } from '../../dataset.js';
import { readTable, toInteger } from '../readers/text-table.js';
import type { LayoutReader, OfficialLabels } from './layout.js';
import { requireFolderWith } from './source-folder.js';

const files = {
  images: 'images.txt',
  labels: 'image_class_labels.txt',
  split: 'train_test_split.txt',
  classes: 'classes.txt',
} as const;

/** Reader of the Caltech bird layout; `title` is named in errors. */
export function caltechBirds(title: string): LayoutReader {
  return {
    readLabels: (folder) => readLabels(folder, title),
    async vptPaths(folder) {
      const images = path.join(await requireFolderWith(folder, ['images'], title), 'images');
      return (key) => path.join(images, key);
    },
  };
}

async function readLabels(folder: string, title: string): Promise<OfficialLabels> {
  const root = await requireFolderWith(folder, Object.values(files), title);
  const [images, labels, split, names] = await Promise.all(
    [files.images, files.labels, files.split, files.classes].map((name) => readTable(path.join(root, name))),
  );
  const labelFile = path.join(root, files.labels);
  const idOf = new Map([...labels!].map(([image, id]) => [image, toInteger(id, `${labelFile}, image ${image}`)]));
  // Numeric order: ids are zero-padded strings nowhere, and NABirds has ids above 999.
  const classIds = [...new Set(idOf.values())].sort((a, b) => a - b);
  const nameOf = new Map([...names!].map(([id, name]) => [toInteger(id, path.join(root, files.classes)), name]));
  const labelOf = new Map(classIds.map((id, label) => [id, label]));
  const unknown = classIds.find((id) => !nameOf.has(id));
  if (unknown !== undefined) {
    throw new RequestError(`${labelFile}: class ${unknown} is out of range, ${files.classes} does not list it`);
  }

  const train: Sample[] = [];
  const test: Sample[] = [];
  for (const [image, file] of images!) {
    const id = idOf.get(image);
    const isTrain = split!.get(image);
    if (id === undefined) throw new RequestError(`${labelFile} has no line for image ${image} (${file})`);
    if (isTrain !== '0' && isTrain !== '1') {
      const value = isTrain === undefined ? 'no line' : `'${isTrain}'`;
      throw new RequestError(`${path.join(root, files.split)} has ${value} for image ${image}, expected 0 or 1`);
    }
    const sample = { file: path.join(root, 'images', file), label: labelOf.get(id)! };
    (isTrain === '1' ? train : test).push(sample);
  }
  return { classes: classIds.map((id) => nameOf.get(id)!), classIds, train, test };
}
