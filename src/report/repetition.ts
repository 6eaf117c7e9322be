/**
 * A repetition is one finished trial as tables and figures use it: its method under the name it is shown by, one
 * learning rate chosen, its stitches marked as deployed or only evaluated.
 */
import { groupBy } from './groups.js';
import { learningRateLabel, meanLabel, methodLabel } from './labels.js';
import { deployedFlags, type PaletteCandidate } from './palette.js';
import type { StitchResult, TrialResult } from './result.js';
import type { Trial } from './run-folder.js';

export interface RepetitionStitch extends PaletteCandidate {
  readonly deployed: boolean;
}

export interface Repetition {
  readonly dataset: string;
  readonly method: string;
  readonly seed: number;
  /** Sorted by FLOPs. A stitch is undefined in a mean over data sets that deploy different ones for a bin. */
  readonly stitches: readonly RepetitionStitch[];
}

/**
 * The finished trials, with one learning rate for each data set, method and seed: the one with the best validation
 * accuracy. Where trials have none recorded all are kept and named by their learning rate, because choosing by test
 * accuracy would flatter. Two runs of the same trial are told apart by the name of their run.
 */
export function repetitionsOf(trials: readonly Trial[]): Repetition[] {
  const finished = trials.filter((trial) => trial.result !== undefined);
  const sameTrial = groupBy(finished, ({ result }) =>
    JSON.stringify([result!.dataset, result!.method, result!.seed, result!.learningRate]),
  );
  const runsCollide = [...sameTrial.values()].some((group) => group.length > 1);
  const groups = groupBy(finished, ({ result, run }) =>
    JSON.stringify([result!.dataset, result!.method, result!.seed, runsCollide && run]),
  );
  return [...groups.values()].flatMap((group) => {
    const run = runsCollide ? ` · ${group[0]!.run}` : '';
    const results = group.map(({ result }) => result!);
    const chosen = chosenByValidation(results);
    if (chosen) return [repetition(chosen, `${methodLabel(chosen.method)}${run}`)];
    return results.map((result) =>
      repetition(result, `${methodLabel(result.method)} lr ${learningRateLabel(result.learningRate)}${run}`),
    );
  });
}

function chosenByValidation(results: readonly TrialResult[]): TrialResult | undefined {
  if (results.length === 1) return results[0];
  if (results.some(({ validationAccuracy }) => validationAccuracy === undefined)) return undefined;
  return results.reduce((best, result) => (result.validationAccuracy! > best.validationAccuracy! ? result : best));
}

function repetition(result: TrialResult, method: string): Repetition {
  const candidates = result.stitches.map((stitch) => ({ ...stitch, bin: stitch.bin, stitch }));
  return { dataset: result.dataset, method, seed: result.seed, stitches: withDeployed(candidates) };
}

function withDeployed(candidates: readonly PaletteCandidate[]): RepetitionStitch[] {
  const sorted = candidates.toSorted((a, b) => a.flops - b.flops);
  const flags = deployedFlags(sorted);
  return sorted.map(({ flops, accuracy, bin, stitch }, index) => ({
    flops,
    accuracy,
    bin,
    stitch,
    deployed: flags[index]!,
  }));
}

/** What is averaged over repetitions: the stitches deployed for one FLOPs bin, otherwise the same stitch. */
export function averagingKey({ bin, stitch }: PaletteCandidate): string {
  return bin === undefined ? `stitch ${stitch?.id}` : `bin ${bin}`;
}

/** Accuracy of the largest deployed stitch within a budget of FLOPs; undefined when none fits. */
export function accuracyWithin({ stitches }: Repetition, budget: number): number | undefined {
  return stitches.findLast(({ deployed, flops }) => deployed && flops <= budget)?.accuracy;
}

/**
 * Means over `datasets`, one for each method and seed that has finished all of them. Bins are averaged with bins,
 * stitches with the same stitch; what not every data set has is left out.
 */
export function meanOverDatasets(repetitions: readonly Repetition[], datasets: readonly string[]): Repetition[] {
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
      return { dataset: meanLabel(datasets), method, seed, stitches: withDeployed(candidates) };
    });
}

/** The stitch, when it is the same in all. */
export function commonStitch(stitches: readonly Pick<PaletteCandidate, 'stitch'>[]): StitchResult | undefined {
  const first = stitches[0]?.stitch;
  return stitches.every(({ stitch }) => stitch?.id === first?.id) ? first : undefined;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
