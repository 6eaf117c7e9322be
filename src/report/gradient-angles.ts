/**
 * Angles between the gradients that stitches have for the weights they share (supplement, Figure F): angles.json of a run
 * folder, written by `esta analyse angles`, and its table.
 */
import { z } from 'zod';
import { RequestError } from '../shared/errors.js';
import { datasetLabel } from './labels.js';
import { measure, type Table } from './table.js';

export const anglesFile = 'angles.json';

/** The angle up to which two gradients do not oppose each other, degrees. */
export const rightAngle = 90;

const anglesVersion = 1;

const count = z.number().int().nonnegative();

const gradientAngles = z.object({
  version: z.literal(anglesVersion),
  /** Names of the two anchors that are stitched. */
  anchors: z.tuple([z.string(), z.string()]),
  /** Stitches that are compared, pair by pair. */
  stitches: count,
  /** Training steps before, on stitches drawn uniformly, with the labels. */
  steps: count,
  /** Batches that gradients are taken of, each for all stitches. */
  batches: count,
  batch_size: count,
  seed: count,
  datasets: z.array(
    z.object({
      name: z.string().min(1),
      /** The data that the anchors were pretrained with, or a task they are adapted to. */
      domain: z.enum(['source', 'downstream']),
      /** Of every pair in every batch, degrees from 0 to 180. */
      angles: z.array(z.number().min(0).max(180)).min(1),
    }),
  ),
});

export type GradientAngles = z.output<typeof gradientAngles>;

/** Checks the content of angles.json. */
export function parseGradientAngles(content: unknown, file: string): GradientAngles {
  const parsed = gradientAngles.safeParse(content);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the document'}: ${message}`);
  throw new RequestError(`${file} is not valid:\n  ${problems.join('\n  ')}`, 'Measure again: esta analyse angles.');
}

/** A row for each data set. */
export function anglesView({ anchors, stitches, steps, batches, datasets }: GradientAngles): Table {
  return {
    name: 'angles',
    title: `Angles between gradients of stitches ${anchors.join(' → ')} (as Figure F)`,
    columns: [
      { key: 'dataset', label: 'Data set', kind: 'text' },
      { key: 'domain', label: 'Domain', kind: 'text' },
      { key: 'count', label: 'Angles', kind: 'number', precision: 0 },
      { key: 'mean', label: 'Mean (°)', kind: 'number', precision: 1 },
      { key: 'deviation', label: 'Deviation (°)', kind: 'number', precision: 1 },
      { key: 'opposed', label: 'Above 90° (%)', kind: 'number', precision: 1 },
    ],
    rows: datasets.map(({ name, domain, angles }) => {
      const { mean, deviation } = measure(angles);
      const opposed = (100 * angles.filter((angle) => angle > rightAngle).length) / angles.length;
      return {
        cells: {
          ...{ dataset: datasetLabel(name), domain, count: angles.length, mean, opposed },
          deviation: deviation ?? { mark: 'none' },
        },
      };
    }),
    notes: [
      `pairs of ${stitches} stitches, low-rank updates of the blocks that both run, ${batches} batches after ${steps} steps`,
    ],
  };
}
