/**
 * Angles between the gradients that stitches have for the weights they share (supplement, Figure F): angles.json of a
 * trial's folder, what it means beside that of other trials, and its table.
 */
import { z } from 'zod';
import { RequestError } from '../shared/errors.js';
import { groupBy } from './groups.js';
import { datasetLabel, methodLabel, seriesOf } from './labels.js';
import type { Trial } from './run-folder.js';
import { measure, type Table } from './table.js';

export const anglesFile = 'angles.json';
export const anglesVersion = 1;

/** The angle up to which two gradients do not oppose each other, degrees. */
export const rightAngle = 90;

const count = z.number().int().nonnegative();

const trialAngles = z.object({
  version: z.literal(anglesVersion),
  /** Names of the two anchors that are stitched. */
  anchors: z.tuple([z.string(), z.string()]),
  /** Stitches that are compared, pair by pair. */
  stitches: count,
  /** Epochs of the stitched network before. */
  epoch: count,
  /** Batches that gradients are taken of, each for all stitches. */
  batches: count,
  batch_size: count,
  /** The data that the anchors were pretrained with, or a task they are adapted to. */
  domain: z.enum(['source', 'downstream']),
  /** Of every pair in every batch, degrees from 0 to 180. */
  angles: z.array(z.number().min(0).max(180)).min(1),
});

/** The content of a trial's angles.json. */
export type TrialAngles = z.output<typeof trialAngles>;

/** Angles of one method that are shown together: a panel for each data set. */
export interface GradientAngles extends Pick<TrialAngles, 'anchors' | 'stitches' | 'epoch' | 'batches'> {
  /** A method, or a variant of an ablation. */
  readonly method: string;
  /** Of all seeds; the source domain first, as in the figure. */
  readonly datasets: readonly (Pick<TrialAngles, 'domain' | 'angles'> & { readonly name: string })[];
}

/** Checks the content of angles.json. */
export function parseTrialAngles(content: unknown, file: string): TrialAngles {
  const parsed = trialAngles.safeParse(content);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the document'}: ${message}`);
  throw new RequestError(
    `${file} is not valid:\n  ${problems.join('\n  ')}`,
    'Delete the trial folder and run the trial again with evaluation.gradient_angles.',
  );
}

/** The angles of trials that were measured alike, whatever their data set and seed. */
export function gradientAnglesOf(trials: readonly Trial[]): GradientAngles[] {
  const measured = trials.flatMap(({ identity, angles }) =>
    identity && angles ? [{ dataset: identity.dataset, method: seriesOf(identity), angles }] : [],
  );
  const alike = groupBy(measured, ({ method, angles: { anchors, stitches, epoch, batches, batch_size } }) =>
    JSON.stringify([method, anchors, stitches, epoch, batches, batch_size]),
  );
  return [...alike.values()].map((group) => {
    const { method, angles } = group[0]!;
    const { anchors, stitches, epoch, batches } = angles;
    const datasets = [...groupBy(group, ({ dataset }) => dataset)].map(([name, seeds]) => ({
      name,
      domain: seeds[0]!.angles.domain,
      angles: seeds.flatMap((seed) => seed.angles.angles),
    }));
    const [source, downstream] = ['source', 'downstream'].map((domain) =>
      datasets.filter((dataset) => dataset.domain === domain),
    );
    return { method, anchors, stitches, epoch, batches, datasets: [...source!, ...downstream!] };
  });
}

/** A row for each data set. @param index among the methods of a report, from 0 */
export function anglesView(
  { method, anchors, stitches, epoch, batches, datasets }: GradientAngles,
  index: number,
): Table {
  return {
    name: index === 0 ? 'angles' : `angles-${index + 1}`,
    title: `Angles between gradients of stitches ${anchors.join(' → ')}, ${methodLabel(method)} (as Figure F)`,
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
      `pairs of ${stitches} stitches, weights of the blocks that both run; ${batches === 1 ? 'one batch' : `${batches} batches`} after epoch ${epoch}`,
    ],
  };
}
