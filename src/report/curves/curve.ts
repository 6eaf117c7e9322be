/** The FLOPs-accuracy curve of a method on a data set, over its seeds. */

import type { StitchResult } from '../../run-folder/result.js';
import { groupBy, mean } from '../../shared/groups.js';
import { type Measurement, measure } from '../render/table.js';
import { areDeployed, isAnchorAlone, type PaletteCandidate } from './palette.js';
import { averagingKey, commonStitch, type Repetition } from './repetition.js';

export interface CurvePoint {
  /** Multiply-accumulates of one image, mean over the seeds. */
  readonly flops: number;
  /** Percent. */
  readonly accuracy: Measurement;
  readonly deployed: boolean;
  /** FLOPs bin for which training chose the stitch. */
  readonly bin: number | undefined;
  /** The stitch, when all seeds have the same one here. */
  readonly stitch: StitchResult | undefined;
  /** Name of the anchor, when the stitch is an anchor alone. */
  readonly anchor: string | undefined;
}

export interface Curve {
  readonly dataset: string;
  readonly method: string;
  readonly seeds: readonly number[];
  /** Every evaluated stitch, by FLOPs. */
  readonly points: readonly CurvePoint[];
  /** Parameters that the method trains; undefined where the results do not tell. */
  readonly trainable: number | undefined;
}

/** One curve for each data set and method, in order of appearance. */
export function curvesOf(repetitions: readonly Repetition[]): Curve[] {
  const groups = groupBy(repetitions, ({ dataset, method }) => JSON.stringify([dataset, method]));
  return [...groups.values()].map((group) => {
    const byKey = groupBy(
      group.flatMap(({ stitches }) => stitches),
      averagingKey,
    );
    const points = [...byKey.values()].map(pointOf).sort((a, b) => a.flops - b.flops);
    const flags = areDeployed(points.map((point) => ({ ...point, accuracy: point.accuracy.mean })));
    const { dataset, method, trainable } = group[0]!;
    return {
      dataset,
      method,
      trainable,
      seeds: group.map(({ seed }) => seed),
      points: points.map((point, index) => ({ ...point, deployed: flags[index]! })),
    };
  });
}

/** The palette: what is deployed, joined by a line in figures and listed in Table I. */
export function deployedPoints(curve: Curve): CurvePoint[] {
  return curve.points.filter(({ deployed }) => deployed);
}

/** True for individually adapted anchors: there is nothing between them, so no line joins them. */
export function isAnchorsOnly(curve: Curve): boolean {
  return curve.points.every(({ anchor }) => anchor !== undefined);
}

function pointOf(same: readonly PaletteCandidate[]): Omit<CurvePoint, 'deployed'> {
  const stitch = commonStitch(same);
  return {
    flops: mean(same.map(({ flops }) => flops)),
    accuracy: measure(same.map(({ accuracy }) => accuracy)),
    bin: same[0]!.bin,
    stitch,
    anchor: stitch && isAnchorAlone(stitch) ? stitch.path[0]!.anchor : undefined,
  };
}
