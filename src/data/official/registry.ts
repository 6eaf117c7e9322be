/**
 * The official data sets: what they are called, how many images each class has, which archives they come in and where
 * a person downloads them. Nothing is downloaded here: most need a form or an account, and licences are the user's to
 * accept.
 *
 * Images per class: counted in VPT's fgvc_split files.
 * Archive sums: torchvision (Flowers, Cars, CIFAR), SSF (CUB), PyTorch loaders of NABirds.
 */
import { fgvcDatasets, officialDatasets } from '../../config/official-datasets.js';
import { nearest, RequestError } from '../../shared/errors.js';
import { caltechBirds } from './layouts/caltech-birds.js';
import { cifar100Layout, convertCifar100 } from './layouts/cifar-100.js';
import type { OfficialSpec } from './layouts/layout.js';
import { oxfordFlowers } from './layouts/oxford-flowers.js';
import { stanfordCars } from './layouts/stanford-cars.js';
import { stanfordDogs } from './layouts/stanford-dogs.js';
import { vtabSpecs } from './layouts/vtab.js';

const fineGrained: readonly OfficialSpec[] = [
  {
    name: 'cub-200-2011',
    aliases: ['cub', 'cub200'],
    ...fgvcDatasets['cub-200-2011'],
    perClass: { train: [29, 30], test: [11, 30] },
    archives: [{ file: 'CUB_200_2011.tgz', md5: '97eceeb196236b17998738112f37df78' }],
    looseFiles: [],
    where: 'https://data.caltech.edu/records/65de6-vp158',
    size: '1.2 GB',
    folder: 'cub-200-2011',
    layout: caltechBirds(fgvcDatasets['cub-200-2011'].title),
  },
  {
    name: 'nabirds',
    aliases: [],
    ...fgvcDatasets.nabirds,
    perClass: { train: [4, 60], test: [9, 60] },
    archives: [{ file: 'nabirds.tar.gz', md5: 'df21a9e4db349a14e2b08adfd45873bd' }, { file: 'nabirds.zip' }],
    looseFiles: [],
    files: 'nabirds.tar.gz or nabirds.zip',
    where: 'https://dl.allaboutbirds.org/nabirds (form)',
    size: '9 GB',
    folder: 'nabirds',
    layout: caltechBirds(fgvcDatasets.nabirds.title),
  },
  {
    name: 'oxford-flowers-102',
    aliases: ['oxford-flowers', 'flowers-102', 'flowers'],
    ...fgvcDatasets['oxford-flowers-102'],
    perClass: { train: [20, 20], test: [20, 238] },
    archives: [{ file: '102flowers.tgz', md5: '52808999861908f626f3c1f4e79d11fa' }],
    looseFiles: [
      { file: 'imagelabels.mat', md5: 'e0620be6f572b9609742df49c70aed4d' },
      { file: 'setid.mat', md5: 'a5357ecc9cb78c4bef273ce3793fc85c' },
      { file: 'cat_to_name.json' },
    ],
    files: '102flowers.tgz, imagelabels.mat and setid.mat; cat_to_name.json, if you want names of classes',
    where: 'https://www.robots.ox.ac.uk/~vgg/data/flowers/102/',
    size: '345 MB',
    folder: 'oxford-flowers-102',
    layout: oxfordFlowers(fgvcDatasets['oxford-flowers-102'].classes),
  },
  {
    name: 'stanford-dogs',
    aliases: ['dogs'],
    ...fgvcDatasets['stanford-dogs'],
    perClass: { train: [100, 100], test: [48, 152] },
    archives: [{ file: 'images.tar' }, { file: 'lists.tar' }],
    looseFiles: [{ file: 'train_list.mat' }, { file: 'test_list.mat' }],
    files: 'images.tar, and lists.tar or train_list.mat and test_list.mat out of it',
    where: 'http://vision.stanford.edu/aditya86/ImageNetDogs/',
    size: '760 MB',
    folder: 'stanford-dogs',
    layout: stanfordDogs(fgvcDatasets['stanford-dogs'].classes),
  },
  {
    name: 'stanford-cars',
    aliases: ['cars'],
    ...fgvcDatasets['stanford-cars'],
    perClass: { train: [24, 68], test: [24, 68] },
    archives: [
      { file: 'cars_train.tgz', md5: '065e5b463ae28d29e77c1b4b166cfe61' },
      { file: 'cars_test.tgz', md5: '4ce7ebf6a94d07f1952d94dd34c4d501' },
      { file: 'car_devkit.tgz', md5: 'c3b158d763b6e2245038c8ad08e45376' },
      { file: 'car_ims.tgz' },
    ],
    looseFiles: [
      { file: 'cars_test_annos_withlabels.mat', md5: 'b0a2b23655a3edd16d84508592a98d10' },
      { file: 'cars_annos.mat' },
    ],
    files:
      'cars_train.tgz, cars_test.tgz, car_devkit.tgz and cars_test_annos_withlabels.mat; or car_ims.tgz and cars_annos.mat',
    where: 'https://ai.stanford.edu/~jkrause/cars/car_dataset.html (often offline; mirrors exist)',
    size: '1.9 GB',
    folder: 'stanford-cars',
    layout: stanfordCars(fgvcDatasets['stanford-cars'].classes),
  },
];

const cifar100: OfficialSpec = {
  name: 'cifar-100',
  aliases: ['cifar100'],
  ...officialDatasets['cifar-100'],
  perClass: { train: [500, 500], test: [100, 100] },
  archives: [
    { file: 'cifar-100-python.tar.gz', md5: 'eb9058c3a382ffc7106e4002c42a8d85' },
    { file: 'cifar-100-binary.tar.gz' },
  ],
  looseFiles: [],
  files: 'cifar-100-python.tar.gz or cifar-100-binary.tar.gz',
  where: 'https://www.cs.toronto.edu/~kriz/cifar.html',
  size: '169 MB',
  folder: 'cifar-100',
  layout: cifar100Layout,
  convert: convertCifar100,
};

/** All 25 tasks: 5 fine-grained sets, CIFAR-100 and the 19 tasks of VTAB-1k. */
export const officialSpecs: readonly OfficialSpec[] = [...fineGrained, cifar100, ...vtabSpecs];

/** The name that stands for all 19 VTAB-1k tasks, which come in one archive. */
const vtabGroup = 'vtab-1k';

/** The data sets meant by a name, an alias or `vtab-1k`; an unknown name is a RequestError. */
export function findOfficial(name: string): readonly OfficialSpec[] {
  if (name === vtabGroup) return vtabSpecs;
  const found = officialSpecs.find((spec) => spec.name === name || spec.aliases.includes(name));
  if (found) return [found];
  const names = [...officialSpecs.map((spec) => spec.name), vtabGroup];
  const near = nearest(name, [...names, ...officialSpecs.flatMap((spec) => spec.aliases)]);
  throw new RequestError(
    `unknown data set '${name}'${near === undefined ? '' : `, did you mean '${near}'?`}`,
    `Known are ${names.join(', ')}. A folder of your own is looked through by esta data check image-folder --root DIR.`,
  );
}
