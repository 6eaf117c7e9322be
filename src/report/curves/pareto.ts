/** The Pareto front of cost and accuracy, and where an order by FLOPs is not an order by time. */

export interface Priced {
  /** Any unit: less is better. */
  readonly cost: number;
  /** Percent. */
  readonly accuracy: number;
}

/** Which points no other one beats: no dearer and more accurate, or cheaper and no less accurate. */
export function areOnFront(points: readonly Priced[]): boolean[] {
  return points.map(
    (point) =>
      !points.some(
        (other) =>
          other.cost <= point.cost &&
          other.accuracy >= point.accuracy &&
          (other.cost < point.cost || other.accuracy > point.accuracy),
      ),
  );
}

export interface Timed {
  readonly flops: number;
  readonly median: number;
  /** Undefined where it was not measured. */
  readonly p90: number | undefined;
}

/** Two networks that FLOPs order wrongly: `fewer` has fewer of them and takes longer. */
export interface MisleadingPair<Point> {
  readonly fewer: Point;
  readonly more: Point;
}

/** Slower by less than this share is noise. */
const leastSlower = 0.05;

/** Pairs in which the network with fewer FLOPs has the larger median, by whatever little. */
export function reversedPairs<Point extends Timed>(points: readonly Point[]): MisleadingPair<Point>[] {
  return points
    .flatMap((fewer) => points.map((more) => ({ fewer, more })))
    .filter(({ fewer, more }) => fewer.flops < more.flops && fewer.median > more.median);
}

/**
 * Pairs in which the network with fewer FLOPs takes longer: its median is above the 90th percentile of the other one, and
 * by more than 5 % above its median. The worst first.
 */
export function misleadingPairs<Point extends Timed>(points: readonly Point[]): MisleadingPair<Point>[] {
  const ratio = ({ fewer, more }: MisleadingPair<Point>) => fewer.median / more.median;
  return reversedPairs(points)
    .filter(({ fewer, more }) => fewer.median > (more.p90 ?? more.median))
    .filter((pair) => ratio(pair) > 1 + leastSlower)
    .sort((one, other) => ratio(other) - ratio(one));
}
