/** Angles between the gradients that stitches have for the weights they share (supplement, Figure F), and their table. */
import type { TrialAngles } from '../../run-folder/gradient-angles.js';
import { seriesOf } from '../../run-folder/result.js';
import type { TrialRecord } from '../../run-folder/trial-record.js';
import { groupBy } from '../../shared/groups.js';
import { datasetLabel, methodLabel } from '../curves/labels.js';
import { measure, none, type Table } from '../render/table.js';

/** The angle up to which two gradients do not oppose each other, degrees. */
export const rightAngle = 90;

/** Angles of one method that are shown together: a panel for each data set. */
export interface GradientAngles extends Pick<TrialAngles, 'anchors' | 'stitches' | 'epoch' | 'batches'> {
  /** A method, or a variant of an ablation. */
  readonly method: string;
  /** Of all seeds; the source domain first, as in the figure. */
  readonly datasets: readonly (Pick<TrialAngles, 'domain' | 'angles'> & { readonly name: string })[];
}

/** The angles of trials that were measured alike, whatever their data set and seed. */
export function gradientAnglesOf(trials: readonly TrialRecord[]): GradientAngles[] {
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
          dataset: datasetLabel(name),
          domain,
          count: angles.length,
          mean,
          opposed,
          deviation: deviation ?? none,
        },
      };
    }),
    notes: [
      `pairs of ${stitches} stitches, weights of the blocks that both run; ${batches === 1 ? 'one batch' : `${batches} batches`} after epoch ${epoch}`,
    ],
  };
}
