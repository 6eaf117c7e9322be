/**
 * The splits file that `esta data prepare` writes, so that experiments list a data set without reading its official
 * files.
 */
import path from 'node:path';
import { z } from 'zod';
import { RequestError } from '../../../shared/errors.js';
import { exists, readJson, writeAtomic } from '../../../shared/files.js';
import type { Sample } from '../../dataset.js';
import type { OfficialSpec } from '../layouts/layout.js';
import type { OfficialDataset } from '../read.js';

const samplesSchema = z.array(z.tuple([z.string(), z.int().min(0)]));
const preparedSchema = z.strictObject({
  version: z.literal(1),
  dataset: z.string(),
  origin: z.enum(['vpt', 'official', 'drawn']),
  notes: z.array(z.string()),
  /** how validation images were drawn, where they were */
  drawn: z.strictObject({ fraction: z.number(), seed: z.int() }).optional(),
  /** shorter edge in pixels of the training cache, when the images were resized */
  resized: z.int().optional(),
  /** folder of the images, relative to this file unless it is elsewhere on the machine */
  images: z.string(),
  classes: z.array(z.string()),
  splits: z.strictObject({ train: samplesSchema, val: samplesSchema.optional(), test: samplesSchema }),
});
type PreparedFile = z.output<typeof preparedSchema>;

export interface PreparedDataset extends OfficialDataset {
  readonly drawn?: { readonly fraction: number; readonly seed: number };
  readonly resized?: number;
}

/** Path of the splits file of a data set whose folder is `folder`; VTAB-1k tasks share a folder. */
export function splitsFile(spec: OfficialSpec, folder: string): string {
  return path.join(folder, spec.name === spec.folder ? 'splits.json' : `${spec.name}.splits.json`);
}

/** Writes the splits file; all images lie below `images`. */
export async function writePrepared(file: string, dataset: PreparedDataset, images: string): Promise<void> {
  const inside = path.relative(path.dirname(file), images);
  const row = ({ file: image, label }: Sample): [string, number] => [
    path.relative(images, image).split(path.sep).join('/'),
    label,
  ];
  const { train, val, test } = dataset.splits;
  const content: PreparedFile = {
    version: 1,
    dataset: dataset.name,
    origin: dataset.origin,
    notes: [...dataset.notes],
    ...(dataset.drawn && { drawn: dataset.drawn }),
    ...(dataset.resized !== undefined && { resized: dataset.resized }),
    images: inside.startsWith('..') || path.isAbsolute(inside) ? path.resolve(images) : inside,
    classes: [...dataset.classes],
    splits: { train: train.map(row), ...(val && { val: val.map(row) }), test: test.map(row) },
  };
  await writeAtomic(file, `${JSON.stringify(content)}\n`);
}

/** Reads a splits file; undefined when there is none, a RequestError when it is damaged. */
export async function readPrepared(spec: OfficialSpec, file: string): Promise<PreparedDataset | undefined> {
  if (!(await exists(file))) return undefined;
  const parsed = preparedSchema.safeParse(await readJson(file));
  if (!parsed.success || parsed.data.dataset !== spec.name) {
    const problem = parsed.success ? `it belongs to ${parsed.data.dataset}` : z.prettifyError(parsed.error);
    throw new RequestError(`${file} is no splits file of ${spec.name}: ${problem}`, 'Prepare the data set again.');
  }
  const { dataset, origin, notes, drawn, resized, images, classes, splits } = parsed.data;
  const outside = [...splits.train, ...(splits.val ?? []), ...splits.test].find(([, label]) => label >= classes.length);
  if (outside) {
    throw new RequestError(
      `${file} says label ${outside[1]} for ${outside[0]}, and names ${classes.length} classes: labels count them from 0`,
      'Prepare the data set again.',
    );
  }
  const folder = path.resolve(path.dirname(file), images);
  const samples = (rows: readonly (readonly [string, number])[]) =>
    rows.map(([name, label]): Sample => ({ file: path.join(folder, name), label }));
  const { train, val, test } = splits;
  return {
    name: dataset,
    origin,
    notes,
    ...(drawn && { drawn }),
    ...(resized !== undefined && { resized }),
    classes,
    splits: { train: samples(train), ...(val && { val: samples(val) }), test: samples(test) },
  };
}
