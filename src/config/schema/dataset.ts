/** Data sets that an experiment can name, by `kind`. How each looks on disk is the business of the data folder. */
import { z } from 'zod';
import { vtabTaskNames } from '../official-datasets.js';
import { count, countOrZero, type DeepReadonly, field, filePath, fraction, identifier } from './fields.js';
import { instructionsSchema, textKinds, wordTasksSchema } from './text.js';

const name = () =>
  field(
    identifier(),
    'Name in trial folders, tables and --set paths; left out: the kind or vtab-TASK, with -N-shot where there are shots.',
    'this project',
  );

const root = () =>
  field(filePath(), 'Folder that holds the data set, as `esta data check` accepts it.', 'this project');

const validationFraction = () =>
  field(
    fraction().default(0.1),
    'Share of the training images held out, class by class, to choose the learning rate, where the set has no validation images.',
    'VPT holds out 10 % of the official training sets',
  );

const shots = () =>
  field(
    count().optional(),
    'Few-shot learning: training images kept of each class, and at most 4 validation images, drawn anew for the seed of each trial; left out: all images.',
    'supplement B: 1, 4, 8, 16; drawn as CoOp does',
  );

const trainingList = () =>
  field(
    filePath().optional(),
    'Published list of the training images of few-shot learning (lines IMAGE LABEL, as NOAH and SPT have them); {seed} in the path stands for the seed of the trial; left out: drawn as shots says.',
    'supplement B',
  );

/** A set with training and test images, of which some are held out where it has no validation images. */
const heldOut = <Kind extends string>(kind: Kind) =>
  z.strictObject({
    kind: z.literal(kind),
    name: name(),
    root: root(),
    validation_fraction: validationFraction(),
    shots: shots(),
    training_list: trainingList(),
  });

const species = z.strictObject({
  kind: z.literal('species'),
  name: name(),
  classes: field(count().min(2).default(24), 'Number of drawn species.', 'this project'),
  first: field(
    countOrZero().max(118).optional(),
    'Number of the first species, of 120; left out: 0. Other species make another task, another seed the same one with other images.',
    'this project',
  ),
  train_images: field(count().max(10_000).default(100), 'Training images of each species.', 'this project'),
  validation_images: field(count().max(10_000).default(10), 'Validation images of each species.', 'this project'),
  test_images: field(count().max(10_000).default(20), 'Test images of each species.', 'this project'),
  seed: field(
    countOrZero().default(0),
    'Seed of the drawings; the seeds of the trials do not change them.',
    'this project',
  ),
  shots: shots(),
});

const flowers = z.strictObject({
  kind: z.literal('oxford-flowers-102'),
  name: name(),
  root: root(),
  shots: shots(),
  training_list: trainingList(),
});

const cifar = z.strictObject({
  kind: z.literal('cifar-100'),
  name: name(),
  root: root(),
  validation_fraction: validationFraction(),
  shots: shots(),
});

const vtab = z.strictObject({
  kind: z.literal('vtab-1k'),
  name: name(),
  root: root(),
  task: field(z.enum(vtabTaskNames), 'Folder of the task below the root.', 'VTAB-1k in the NOAH layout'),
  shots: shots(),
});

export const datasetSchema = z.discriminatedUnion('kind', [
  species,
  heldOut('image-folder'),
  heldOut('cub-200-2011'),
  heldOut('nabirds'),
  flowers,
  heldOut('stanford-dogs'),
  heldOut('stanford-cars'),
  cifar,
  vtab,
  instructionsSchema,
  wordTasksSchema,
]);

/** One data set of an experiment. */
export type DatasetConfig = DeepReadonly<z.output<typeof datasetSchema>>;
/** One whose samples are texts; the others have images. */
export type TextDatasetConfig = Extract<DatasetConfig, { readonly kind: (typeof textKinds)[number] }>;
export type ImageDatasetConfig = Exclude<DatasetConfig, TextDatasetConfig>;

export function isTextDataset(dataset: DatasetConfig): dataset is TextDatasetConfig {
  return (textKinds as readonly string[]).includes(dataset.kind);
}

/** `data:` takes one mapping or a list of them, and fills in names; so `data.root` is a path where there is one. */
export const dataSchema = z.preprocess(
  (value) => (value === undefined ? value : (Array.isArray(value) ? value : [value]).map(withName)),
  field(z.array(datasetSchema).min(1), 'One data set (kind, root, ...), or a list of them.', 'this project'),
);

/** The name a data set goes by when its file gives none. */
export function defaultDatasetName(dataset: object): unknown {
  const base = 'task' in dataset ? `vtab-${String(dataset.task)}` : 'kind' in dataset ? dataset.kind : undefined;
  return 'shots' in dataset && base !== undefined ? `${String(base)}-${String(dataset.shots)}-shot` : base;
}

function withName(dataset: unknown): unknown {
  if (typeof dataset !== 'object' || dataset === null || 'name' in dataset) return dataset;
  const fallback = defaultDatasetName(dataset);
  return typeof fallback === 'string' ? { ...dataset, name: fallback } : dataset;
}
