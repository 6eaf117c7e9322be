/**
 * A repetition is one finished trial as tables and figures use it: its method under the name it is shown by, its
 * stitches marked as deployed or only evaluated.
 */

import type { StitchResult, TrialResult } from '../../run-folder/result.js';
import { distinct, groupBy, mean, sum } from '../../shared/groups.js';
import { areDifferentTasks, meanName } from './labels.js';
import type { NamedTrial } from './method-names.js';
import { areDeployed, type PaletteCandidate } from './palette.js';

export interface RepetitionStitch extends PaletteCandidate {
  readonly deployed: boolean;
}

export interface Repetition {
  readonly dataset: string;
  readonly method: string;
  readonly seed: number;
  /** Sorted by FLOPs. A stitch is undefined in a mean over data sets that deploy different ones for a bin. */
  readonly stitches: readonly RepetitionStitch[];
  /** Parameters that all trainings of the trial update; undefined where the result does not tell. */
  readonly trainable: number | undefined;
}

/** The finished trials. */
export function repetitionsOf(trials: readonly NamedTrial[]): Repetition[] {
  return trials.flatMap(({ result, method }) => (result ? [repetition(result, method)] : []));
}

function repetition(result: TrialResult, method: string): Repetition {
  const candidates = result.stitches.map((stitch) => {
    const { flops, accuracy, bin } = stitch;
    return { flops, accuracy, bin, stitch };
  });
  const { dataset, seed, stages } = result;
  const trainable = stages && sum(stages.map((stage) => stage.trainable.total));
  return { dataset, method, seed, stitches: withDeployed(candidates), trainable };
}

function withDeployed(candidates: readonly PaletteCandidate[]): RepetitionStitch[] {
  const sorted = candidates.toSorted((a, b) => a.flops - b.flops);
  const flags = areDeployed(sorted);
  return sorted.map((candidate, index) => ({ ...candidate, deployed: flags[index]! }));
}

/** What is averaged over repetitions: the stitches deployed for one FLOPs bin, otherwise the same stitch. */
export function averagingKey({ bin, stitch }: PaletteCandidate): string {
  return bin === undefined ? `stitch ${stitch?.id}` : `bin ${bin}`;
}

/** Accuracy of the largest deployed stitch within a budget of FLOPs; undefined when none fits. */
export function accuracyWithin({ stitches }: Repetition, budget: number): number | undefined {
  return stitches.findLast(({ deployed, flops }) => deployed && flops <= budget)?.accuracy;
}

/** Data sets that every one of the methods has finished. */
export function commonDatasets(repetitions: readonly Repetition[]): string[] {
  const methods = distinct(repetitions.map(({ method }) => method));
  const done = new Set(repetitions.map(({ dataset, method }) => JSON.stringify([dataset, method])));
  return distinct(repetitions.map(({ dataset }) => dataset)).filter((dataset) =>
    methods.every((method) => done.has(JSON.stringify([dataset, method]))),
  );
}

/** What curves are compared on: each data set, and those in common together where a mean over them says something. */
export function comparedTasks(repetitions: readonly Repetition[]): string[][] {
  const datasets = distinct(repetitions.map(({ dataset }) => dataset));
  const common = commonDatasets(repetitions);
  return [...datasets.map((dataset) => [dataset]), ...(areDifferentTasks(common) ? [common] : [])];
}

/**
 * Means over the data sets in common, one for each method and seed that has finished all of them; [] for one task. Bins
 * are averaged with bins, stitches with the same stitch; what not every data set has is left out.
 */
export function meanOverDatasets(repetitions: readonly Repetition[]): Repetition[] {
  const datasets = commonDatasets(repetitions);
  if (!areDifferentTasks(datasets)) return [];
  const wanted = repetitions.filter(({ dataset }) => datasets.includes(dataset));
  const groups = groupBy(wanted, ({ method, seed }) => JSON.stringify([method, seed]));
  return [...groups.values()]
    .filter((tasks) => tasks.length === datasets.length)
    .map((tasks) => {
      const byKey = groupBy(
        tasks.flatMap(({ stitches }) => stitches),
        averagingKey,
      );
      const shared = [...byKey.values()].filter((same) => same.length === tasks.length);
      const candidates = shared.map((same) => ({
        flops: mean(same.map(({ flops }) => flops)),
        accuracy: mean(same.map(({ accuracy }) => accuracy)),
        bin: same[0]!.bin,
        stitch: commonStitch(same),
      }));
      const { method, seed } = tasks[0]!;
      const counts = tasks.flatMap(({ trainable }) => (trainable === undefined ? [] : [trainable]));
      const trainable = counts.length === tasks.length ? mean(counts) : undefined;
      return { dataset: meanName(datasets), method, seed, stitches: withDeployed(candidates), trainable };
    });
}

/** The stitch, when it is the same in all. */
export function commonStitch(stitches: readonly Pick<PaletteCandidate, 'stitch'>[]): StitchResult | undefined {
  const first = stitches[0]?.stitch;
  return stitches.every(({ stitch }) => stitch?.id === first?.id) ? first : undefined;
}
