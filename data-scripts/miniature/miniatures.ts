/**
 * Miniatures of the official data sets: the same archives, folders and label files with three classes and a few drawn
 * images, to try the pipeline without downloading gigabytes, and for the tests. They keep what is peculiar about each
 * layout: gaps in NABirds' ids, 1-based labels, the capital I of Dogs, a class name with a slash in Cars.
 */
import { caltechBirds } from '../../src/data/official/layouts/caltech-birds.js';
import type { OfficialSpec } from '../../src/data/official/layouts/layout.js';
import { oxfordFlowers } from '../../src/data/official/layouts/oxford-flowers.js';
import { stanfordCars } from '../../src/data/official/layouts/stanford-cars.js';
import { stanfordDogs } from '../../src/data/official/layouts/stanford-dogs.js';
import { vtabTask } from '../../src/data/official/layouts/vtab.js';
import { findOfficial } from '../../src/data/official/registry.js';
import { type Download, drawnJpeg, type FileTree } from './download.js';
import { matlabFile } from './matlab-writer.js';
import { pickledDictionary } from './pickle-writer.js';

export interface Miniature {
  readonly download: Download;
  /** the official specification with the miniature's counts and without archive sums */
  readonly spec: OfficialSpec;
}

const classCount = 3;
const trainPerClass = 5;
const testPerClass = 2;

/** Label, running number and split of every image of a miniature, classes in turn. */
interface Entry {
  readonly label: number;
  readonly number: number;
  readonly isTrain: boolean;
}
const entries: readonly Entry[] = Array.from({ length: classCount * (trainPerClass + testPerClass) }, (_, index) => ({
  label: index % classCount,
  number: index + 1,
  isTrain: index < classCount * trainPerClass,
}));
const trainEntries = entries.filter(({ isTrain }) => isTrain);
const testEntries = entries.filter(({ isTrain }) => !isTrain);

/** Builders by the name of the data set; `stanford-cars-one-folder` is the layout of car_ims.tgz. */
export const miniatures: Readonly<Record<string, () => Promise<Miniature>>> = {
  'cub-200-2011': cub,
  nabirds,
  'oxford-flowers-102': flowers,
  'stanford-dogs': dogs,
  'stanford-cars': cars,
  'stanford-cars-one-folder': carsOneFolder,
  'cifar-100': () => cifar('python'),
  'cifar-100-binary': () => cifar('binary'),
  'vtab-dtd': vtab,
};

async function cub(): Promise<Miniature> {
  const names = ['001.Black_footed_Albatross', '002.Laysan_Albatross', '003.Sooty_Albatross'];
  const tree = await birdTree('CUB_200_2011', {
    ids: [1, 2, 3],
    names,
    image: ({ number }) => String(number),
    // The folder says Black_footed, the file Black_Footed: neither follows from the other.
    file: ({ label, number }) => `${names[label]}/${names[label]!.slice(4).replace('_f', '_F')}_00${number}.jpg`,
  });
  tree.set('attributes.txt', '1 has_bill_shape::curved\n');
  return miniature('cub-200-2011', { 'CUB_200_2011.tgz': tree }, { layout: caltechBirds('CUB-200-2011') });
}

async function nabirds(): Promise<Miniature> {
  // Sorted as strings, 1005 would come first.
  const ids = [295, 627, 1005];
  const uuid = (number: number) => `0000139e-21dc-4d0c-bfe1-4cae3c85c8${String(number).padStart(2, '0')}`;
  const tree = await birdTree('nabirds', {
    ids,
    names: ['Common Eider (Adult male)', 'Gull, Herring', 'Finch'],
    image: ({ number }) => uuid(number),
    file: ({ label, number }) => `${String(ids[label]).padStart(4, '0')}/${uuid(number).replaceAll('-', '')}.jpg`,
  });
  const classes = tree.get('nabirds/classes.txt');
  tree.set('nabirds/classes.txt', `0 Birds\n1 Ducks, Geese, and Swans\n${classes}`);
  tree.set('nabirds/hierarchy.txt', '1 0\n295 1\n627 0\n1005 0\n');
  return miniature('nabirds', { 'nabirds.tar.gz': tree }, { layout: caltechBirds('NABirds') });
}

interface BirdNaming {
  readonly ids: readonly number[];
  readonly names: readonly string[];
  image(entry: Entry): string;
  file(entry: Entry): string;
}

async function birdTree(root: string, { ids, names, image, file }: BirdNaming): Promise<FileTree> {
  const lines = (text: (entry: Entry) => string) => entries.map((entry) => `${image(entry)} ${text(entry)}\n`).join('');
  const tree: FileTree = new Map([
    [`${root}/images.txt`, lines(file)],
    [`${root}/image_class_labels.txt`, lines(({ label }) => String(ids[label]))],
    [`${root}/train_test_split.txt`, lines(({ isTrain }) => (isTrain ? '1' : '0'))],
    [`${root}/classes.txt`, ids.map((id, label) => `${id} ${names[label]}\n`).join('')],
  ]);
  return addImages(tree, (entry) => `${root}/images/${file(entry)}`);
}

async function flowers(): Promise<Miniature> {
  const file = (number: number) => `jpg/image_${String(number).padStart(5, '0')}.jpg`;
  const numbers = (from: readonly Entry[]) => ({ numbers: from.map(({ number }) => number) });
  const jpg = await addImages(new Map(), ({ number }) => file(number));
  const validation = trainEntries.slice(0, classCount);
  const loose: FileTree = new Map([
    ['imagelabels.mat', matlabFile({ labels: { numbers: entries.map(({ label }) => label + 1) } })],
    [
      'setid.mat',
      matlabFile({
        trnid: numbers(trainEntries.slice(classCount)),
        valid: numbers(validation),
        tstid: numbers(testEntries),
      }),
    ],
  ]);
  const counts = { train: trainEntries.length - classCount, val: classCount, test: testEntries.length };
  const overrides = { layout: oxfordFlowers(classCount), counts };
  return miniature('oxford-flowers-102', { '102flowers.tgz': jpg }, overrides, loose);
}

async function dogs(): Promise<Miniature> {
  const breeds = ['n02085620-Chihuahua', 'n02085782-Japanese_spaniel', 'n02085936-Maltese_dog'];
  const file = ({ label, number }: Entry) => `${breeds[label]}/${breeds[label]!.slice(0, 9)}_${number}.jpg`;
  const list = (from: readonly Entry[]) =>
    matlabFile(
      {
        file_list: { cell: from.map((entry) => ({ text: file(entry) })) },
        annotation_list: { cell: from.map((entry) => ({ text: file(entry).replace('.jpg', '') })) },
        labels: { numbers: from.map(({ label }) => label + 1) },
      },
      true,
    );
  const lists: FileTree = new Map([
    ['file_list.mat', list(entries)],
    ['train_list.mat', list(trainEntries)],
    ['test_list.mat', list(testEntries)],
  ]);
  const images = await addImages(new Map(), (entry) => `Images/${file(entry)}`);
  return miniature(
    'stanford-dogs',
    { 'images.tar': images, 'lists.tar': lists },
    {
      layout: stanfordDogs(classCount),
    },
  );
}

const carNames = ['AM General Hummer SUV 2000', 'Ram C/V Cargo Van Minivan 2012', 'smart fortwo Convertible 2012'];
const carBox = (number: number) => ({
  bbox_x1: { numbers: [number] },
  bbox_y1: { numbers: [2] },
  bbox_x2: { numbers: [300 + number] },
  bbox_y2: { numbers: [200] },
});

async function cars(): Promise<Miniature> {
  const name = (index: number) => `${String(index + 1).padStart(5, '0')}.jpg`;
  const annotations = (from: readonly Entry[], labelled: boolean) =>
    matlabFile({
      annotations: {
        struct: from.map(({ label, number }, index) => ({
          ...carBox(number),
          ...(labelled && { class: { numbers: [label + 1] } }),
          fname: { text: name(index) },
        })),
      },
    });
  const devkit: FileTree = new Map([
    ['devkit/cars_meta.mat', matlabFile({ class_names: { cell: carNames.map((text) => ({ text })) } })],
    ['devkit/cars_train_annos.mat', annotations(trainEntries, true)],
    ['devkit/cars_test_annos.mat', annotations(testEntries, false)],
  ]);
  const folder = (part: string, from: readonly Entry[]) =>
    addImages(new Map(), (entry) => `${part}/${name(from.indexOf(entry))}`, from);
  return miniature(
    'stanford-cars',
    {
      'cars_train.tgz': await folder('cars_train', trainEntries),
      'cars_test.tgz': await folder('cars_test', testEntries),
      'car_devkit.tgz': devkit,
    },
    { layout: stanfordCars(classCount) },
    new Map([['cars_test_annos_withlabels.mat', annotations(testEntries, true)]]),
  );
}

async function carsOneFolder(): Promise<Miniature> {
  const file = ({ number }: Entry) => `car_ims/${String(number).padStart(6, '0')}.jpg`;
  const annotations = matlabFile({
    annotations: {
      struct: entries.map((entry) => ({
        relative_im_path: { text: file(entry) },
        ...carBox(entry.number),
        class: { numbers: [entry.label + 1] },
        test: { numbers: [entry.isTrain ? 0 : 1], logical: true },
      })),
    },
    class_names: { cell: carNames.map((text) => ({ text })) },
  });
  const images = await addImages(new Map(), file);
  const loose = new Map([['cars_annos.mat', annotations]]);
  return miniature('stanford-cars', { 'car_ims.tgz': images }, { layout: stanfordCars(classCount) }, loose);
}

async function cifar(version: 'python' | 'binary'): Promise<Miniature> {
  const names = Array.from({ length: 100 }, (_, label) => `thing_${label}`);
  const label = (entry: Entry) => 50 + entry.label;
  const pixels = (entry: Entry) => Uint8Array.from({ length: 3072 }, (_, at) => (at * entry.number) % 251);
  const python = (from: readonly Entry[]) =>
    pickledDictionary({
      filenames: from.map(({ number }) => `thing_s_${number}.png`),
      batch_label: 'miniature',
      fine_labels: from.map(label),
      coarse_labels: from.map((entry) => entry.label),
      data: { array: Buffer.concat(from.map(pixels)), shape: [from.length, 3072] },
    });
  const binary = (from: readonly Entry[]) =>
    Buffer.concat(from.map((entry) => Buffer.concat([Buffer.from([entry.label, label(entry)]), pixels(entry)])));
  const tree: FileTree =
    version === 'python'
      ? new Map([
          ['cifar-100-python/train', python(trainEntries)],
          ['cifar-100-python/test', python(testEntries)],
          ['cifar-100-python/meta', pickledDictionary({ fine_label_names: names, coarse_label_names: ['things'] })],
        ])
      : new Map<string, Uint8Array | string>([
          ['cifar-100-binary/train.bin', binary(trainEntries)],
          ['cifar-100-binary/test.bin', binary(testEntries)],
          ['cifar-100-binary/fine_label_names.txt', `${names.join('\n')}\n\n`],
          ['cifar-100-binary/coarse_label_names.txt', 'things\n'],
        ]);
  return miniature('cifar-100', { [`cifar-100-${version}.tar.gz`]: tree }, { classes: 100 });
}

async function vtab(): Promise<Miniature> {
  const root = 'vtab-1k/dtd';
  const tree: FileTree = new Map();
  const parts = {
    train800: trainEntries.slice(classCount),
    val200: trainEntries.slice(0, classCount),
    train800val200: trainEntries,
    test: testEntries,
  };
  for (const [part, from] of Object.entries(parts)) {
    const file = (entry: Entry) => `images/${part}/${String(from.indexOf(entry)).padStart(6, '0')}.jpg`;
    await addImages(tree, (entry) => `${root}/${file(entry)}`, from);
    tree.set(`${root}/${part}.txt`, from.map((entry) => `${file(entry)} ${entry.label}\n`).join(''));
  }
  const counts = { train: parts.train800.length, val: classCount, test: testEntries.length };
  const overrides = { layout: vtabTask(['dtd'], classCount), counts };
  return miniature('vtab-dtd', { 'vtab-1k.tar.gz': tree }, overrides);
}

async function addImages(
  tree: FileTree,
  nameOf: (entry: Entry) => string,
  from: readonly Entry[] = entries,
): Promise<FileTree> {
  for (const entry of from) tree.set(nameOf(entry), await drawnJpeg(entry.label, entry.number));
  return tree;
}

function miniature(
  name: string,
  archives: Readonly<Record<string, FileTree>>,
  overrides: Partial<OfficialSpec>,
  loose: FileTree = new Map(),
): Miniature {
  const { perClass: _, ...official } = findOfficial(name)[0]!;
  const withoutSums = (files: OfficialSpec['archives']) => files.map(({ file }) => ({ file }));
  // 15 official training images; 2 of them (10 %, rounded up) are drawn for validation.
  const counts = { train: trainEntries.length - 2, val: 2, test: testEntries.length };
  const spec = {
    ...official,
    classes: classCount,
    counts,
    archives: withoutSums(official.archives),
    looseFiles: withoutSums(official.looseFiles),
    ...overrides,
  };
  return { download: { archives: new Map(Object.entries(archives)), loose }, spec };
}
