/**
 * What is known of the official data sets without reading them: their names for people, classes, and images. Whatever
 * names them (experiment files, plans, readers, reports) takes it from here.
 *
 * Counts: VPT's fgvc_split files (train, val, test), train and val of which are the official training part; VTAB-1k: the
 * tests of task_adaptation.
 */
export interface SplitCounts {
  readonly train: number;
  readonly val: number;
  readonly test: number;
}

export interface DatasetFacts {
  readonly title: string;
  readonly classes: number;
  /** Images of each split; train and val together are the official training part. */
  readonly counts: SplitCounts;
}

/** The five fine-grained data sets, which the paper averages. */
export const fgvcDatasets = {
  'cub-200-2011': { title: 'CUB-200-2011', classes: 200, counts: { train: 5394, val: 600, test: 5794 } },
  nabirds: { title: 'NABirds', classes: 555, counts: { train: 21536, val: 2393, test: 24633 } },
  'oxford-flowers-102': { title: 'Oxford Flowers', classes: 102, counts: { train: 1020, val: 1020, test: 6149 } },
  'stanford-dogs': { title: 'Stanford Dogs', classes: 120, counts: { train: 10800, val: 1200, test: 8580 } },
  'stanford-cars': { title: 'Stanford Cars', classes: 196, counts: { train: 7329, val: 815, test: 8041 } },
} as const satisfies Readonly<Record<string, DatasetFacts>>;

/** All but VTAB-1k, which is many. */
export const officialDatasets = {
  ...fgvcDatasets,
  'cifar-100': { title: 'CIFAR-100', classes: 100, counts: { train: 45000, val: 5000, test: 10000 } },
} as const satisfies Readonly<Record<string, DatasetFacts>>;

interface VtabTask {
  readonly group: 'natural' | 'specialized' | 'structured';
  readonly classes: number;
  readonly test: number;
}

/** The 19 tasks of VTAB-1k, named as their folders in the NOAH layout; each has the images of `vtabTraining`. */
export const vtabTasks = {
  cifar: { group: 'natural', classes: 100, test: 10000 },
  caltech101: { group: 'natural', classes: 102, test: 6084 },
  dtd: { group: 'natural', classes: 47, test: 1880 },
  oxford_flowers102: { group: 'natural', classes: 102, test: 6149 },
  oxford_iiit_pet: { group: 'natural', classes: 37, test: 3669 },
  svhn: { group: 'natural', classes: 10, test: 26032 },
  sun397: { group: 'natural', classes: 397, test: 21750 },
  patch_camelyon: { group: 'specialized', classes: 2, test: 32768 },
  eurosat: { group: 'specialized', classes: 10, test: 5400 },
  resisc45: { group: 'specialized', classes: 45, test: 6300 },
  diabetic_retinopathy: { group: 'specialized', classes: 5, test: 42670 },
  clevr_count: { group: 'structured', classes: 8, test: 15000 },
  clevr_dist: { group: 'structured', classes: 6, test: 15000 },
  dmlab: { group: 'structured', classes: 6, test: 22735 },
  kitti: { group: 'structured', classes: 4, test: 711 },
  dsprites_loc: { group: 'structured', classes: 16, test: 73728 },
  dsprites_ori: { group: 'structured', classes: 16, test: 73728 },
  smallnorb_azi: { group: 'structured', classes: 18, test: 12150 },
  smallnorb_ele: { group: 'structured', classes: 9, test: 12150 },
} as const satisfies Readonly<Record<string, VtabTask>>;

export type VtabTaskName = keyof typeof vtabTasks;
export const vtabTaskNames = Object.keys(vtabTasks) as [VtabTaskName, ...VtabTaskName[]];

/** Of every task of VTAB-1k. */
export const vtabTraining = { train: 800, val: 200 } as const;
