/**
 * Stanford Cars, in both official layouts:
 *  - split folders: cars_train/00001.jpg, cars_test/00001.jpg, devkit/cars_train_annos.mat and a labelled test file;
 *  - one folder (used by VPT): car_ims/000001.jpg and cars_annos.mat.
 *
 * Many mirrors double the image folders (cars_train/cars_train/00001.jpg). File numbers differ between the layouts, so
 * the annotations of one are refused for the images of the other.
 */
import path from 'node:path';
import { RequestError } from '../../../shared/errors.js';
import type { Sample } from '../../dataset.js';
import { readMatlab } from '../readers/matlab.js';
import { hasField, type MatlabFile, type StructRows, structOf, textsOf } from '../readers/matlab-values.js';
import { checkRange } from '../readers/text-table.js';
import type { LayoutReader, OfficialLabels } from './layout.js';
import { findFile, findFolderWith } from './source-folder.js';

const firstImage = { cars_train: '00001.jpg', cars_test: '00001.jpg', car_ims: '000001.jpg' } as const;
type ImageFolder = keyof typeof firstImage;

/** Reader for `classCount` classes (196; fewer only in miniatures). */
export function stanfordCars(classCount: number): LayoutReader {
  return {
    async readLabels(folder) {
      const oneFolder = await imageFolder(folder, 'car_ims');
      const annotations = await findFile(folder, 'cars_annos.mat');
      if (oneFolder !== undefined && annotations !== undefined)
        return readOneFolder(oneFolder, annotations, classCount);
      return readSplitFolders(folder, classCount);
    },
    vptPaths,
  };
}

async function readOneFolder(images: string, annotations: string, classCount: number): Promise<OfficialLabels> {
  const matlab = await readMatlab(annotations);
  const rows = structOf(matlab, 'annotations', ['relative_im_path', 'class', 'test']);
  const all = samplesOf(rows, images, 'relative_im_path', classCount, matlab.file);
  return {
    ...classesOf(textsOf(matlab, 'class_names'), classCount),
    train: all.filter((_, row) => rows.number(row, 'test') === 0),
    test: all.filter((_, row) => rows.number(row, 'test') === 1),
  };
}

async function readSplitFolders(folder: string, classCount: number): Promise<OfficialLabels> {
  const trainFile = await findFile(folder, 'cars_train_annos.mat');
  if (trainFile === undefined) throw await missingAnnotations(folder);
  const trainLabels = await readMatlab(trainFile);
  const testLabels = await labelledTestFile(folder);
  const [trainImages, testImages] = [await imageFolder(folder, 'cars_train'), await imageFolder(folder, 'cars_test')];
  if (trainImages === undefined || testImages === undefined) {
    throw new RequestError(
      `${folder} has no image ${trainImages === undefined ? 'cars_train/00001.jpg' : 'cars_test/00001.jpg'}`,
      'cars_train_annos.mat belongs to cars_train.tgz and cars_test.tgz; car_ims.tgz needs cars_annos.mat.',
    );
  }
  const read = (matlab: MatlabFile, images: string) =>
    samplesOf(structOf(matlab, 'annotations', ['fname', 'class']), images, 'fname', classCount, matlab.file);
  const metaFile = await findFile(folder, 'cars_meta.mat');
  const names = metaFile === undefined ? [] : textsOf(await readMatlab(metaFile), 'class_names');
  return {
    ...classesOf(names, classCount),
    train: read(trainLabels, trainImages),
    test: read(testLabels, testImages),
  };
}

/** Mirrors rename the labelled test file to cars_test_annos.mat, so the fields decide and not the name. */
async function labelledTestFile(folder: string): Promise<MatlabFile> {
  const seen: string[] = [];
  for (const name of ['cars_test_annos_withlabels.mat', 'cars_test_annos.mat']) {
    const file = await findFile(folder, name);
    if (file === undefined) continue;
    const matlab = await readMatlab(file);
    if (hasField(matlab, 'annotations', 'class')) return matlab;
    seen.push(file);
  }
  throw new RequestError(
    seen.length === 0
      ? `${folder} has no cars_test_annos_withlabels.mat`
      : `${seen.join(', ')} has no labels: its 'annotations' have no field 'class'`,
    'The labels of the test images are in cars_test_annos_withlabels.mat, a separate download; put it beside devkit/.',
  );
}

async function missingAnnotations(folder: string): Promise<RequestError> {
  if ((await findFile(folder, 'cars_annos.mat')) !== undefined) {
    return new RequestError(
      `${folder} has cars_annos.mat but not the images car_ims/000001.jpg that it numbers`,
      'The images of cars_train/ and cars_test/ are numbered differently: they need the annotations of car_devkit.tgz.',
    );
  }
  return new RequestError(
    `${folder} is not a Stanford Cars folder: neither devkit/cars_train_annos.mat nor cars_annos.mat was found`,
    'Name the folder (or the archives) of the official download: data.root, or --from of esta data prepare.',
  );
}

function samplesOf(rows: StructRows, images: string, nameField: string, classCount: number, file: string): Sample[] {
  return Array.from({ length: rows.length }, (_, row) => {
    const name = path.posix.basename(rows.text(row, nameField));
    const id = rows.number(row, 'class');
    checkRange(id, 1, classCount, `${file}, class of ${name}`);
    return { file: path.join(images, name), label: id - 1 };
  });
}

function classesOf(names: readonly string[], classCount: number): Pick<OfficialLabels, 'classes' | 'classIds'> {
  const classIds = Array.from({ length: classCount }, (_, label) => label + 1);
  return { classes: classIds.map((id) => names[id - 1] ?? `car ${id}`), classIds };
}

/** The folder that really holds the images, doubled or not. */
async function imageFolder(root: string, name: ImageFolder): Promise<string | undefined> {
  const holder = await findFolderWith(root, [name]);
  return holder === undefined ? undefined : findFolderWith(path.join(holder, name), [firstImage[name]]);
}

/**
 * VPT's keys name car_ims/, others re-made them with cars_train/ or cars_train/cars_train/: all find the real folder.
 */
async function vptPaths(root: string): Promise<(key: string) => string> {
  const folders = new Map<string, string>();
  for (const name of Object.keys(firstImage) as ImageFolder[]) {
    const folder = await imageFolder(root, name);
    if (folder !== undefined) folders.set(name, folder);
  }
  return (key) => {
    const name = key.split('/')[0]!;
    const folder = folders.get(name);
    if (folder !== undefined) return path.join(folder, path.posix.basename(key));
    const present = [...folders.keys()].map((each) => `${each}/`).join(', ') || 'no image folder';
    throw new RequestError(
      `the split files name ${key}, but ${root} has ${present}`,
      'File numbers differ between car_ims/ and cars_train/ + cars_test/: use split files made for your images.',
    );
  };
}
