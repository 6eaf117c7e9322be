/**
 * What one-stage deployment gives away: in each bin, the validation accuracy of the stitch with the highest importance
 * score beside that of the best one. Bins are those of FLOPs, and bins of as many equal parts of the milliseconds of a
 * machine that has measured all stitches.
 */
import { scoreOf } from '../../evaluation/quality.js';
import { latencyOf, type MachineMeasurements } from '../../run-folder/measured/measurement.js';
import { measuredOn } from '../../run-folder/measured/measurements-folder.js';
import { seriesOf } from '../../run-folder/result.js';
import type { RunFolder } from '../../run-folder/run-folder.js';
import type { TrialRecord } from '../../run-folder/trial-record.js';
import type { TrialValidation, ValidatedStitch } from '../../run-folder/validation.js';
import { mean } from '../../shared/groups.js';
import { deployedStitches } from '../../stitching/deployment.js';
import { flopsBins } from '../../stitching/space/flops-bins.js';
import { datasetLabel, methodLabel } from '../curves/labels.js';
import type { Row, Table } from '../render/table.js';

export interface BinRegret {
  readonly bin: number;
  readonly stitches: number;
  /** The stitch with the highest importance score. */
  readonly chosen: ValidatedStitch;
  /** The stitch with the highest accuracy, of language models with the lowest loss; the chosen one where it is as good. */
  readonly best: ValidatedStitch;
  /** Percentage points of accuracy. */
  readonly regret: number;
}

/** [] where the method has no importance scores. @param bins ids of each bin, by rising cost */
export function regretsOf({ stitches }: TrialValidation, bins: readonly (readonly number[])[]): BinRegret[] {
  if (stitches.every(({ importance }) => importance === undefined)) return [];
  const byId = new Map(stitches.map((stitch) => [stitch.id, stitch]));
  const topsBy = (valueIn: (stitch: ValidatedStitch) => number | undefined) => {
    const scores: (number | null)[] = [];
    for (const stitch of stitches) scores[stitch.id] = valueIn(stitch) ?? null;
    const tops = deployedStitches({ bins, lowest: 0, width: 0, largestAnchor: -1 }, { scores });
    return new Map(tops.flatMap(({ id, bin }) => (bin === undefined ? [] : [[bin, byId.get(id)!] as const])));
  };
  const chosen = topsBy(({ importance }) => importance);
  const tops = topsBy(scoreOf);
  return [...chosen].map(([bin, choice]) => {
    const top = tops.get(bin)!;
    const best = scoreOf(top) > scoreOf(choice) ? top : choice;
    const regret = best.accuracy - choice.accuracy;
    return { bin, stitches: bins[bin]!.length, chosen: choice, best, regret };
  });
}

/** Ids of the stitches of each FLOPs bin of the trial. */
export function binsOfFlops({ stitches, bins }: TrialValidation): number[][] {
  const sorted = stitches.toSorted((a, b) => a.flops - b.flops);
  return Array.from({ length: bins }, (_, bin) => sorted.filter((stitch) => stitch.bin === bin).map(({ id }) => id));
}

/**
 * The bin rule over milliseconds: as many bins of equal width, from the fastest stitch to the slowest that is no slower
 * than the largest anchor. Undefined where the machine has not measured all stitches.
 */
export function binsOfLatency(
  { stitches, bins, largest_anchor: largest }: TrialValidation,
  latencies: ReadonlyMap<number, number>,
): (readonly number[])[] | undefined {
  const milliseconds = stitches.toSorted((a, b) => a.id - b.id).map(({ id }) => latencies.get(id));
  if (!milliseconds.every((time) => time !== undefined)) return undefined;
  return [...flopsBins(milliseconds, largest, { count: bins }).bins];
}

/** Undefined where no trial has evaluated all its stitches. */
export function regretView(runs: readonly RunFolder[]): Table | undefined {
  const rows = runs.flatMap(({ trials, machines }) =>
    trials.flatMap((trial) => rowsOf(trial, machines, runs.length > 1)),
  );
  if (rows.length === 0) return undefined;
  return {
    name: 'regret',
    title: 'One-stage deployment against evaluating all stitches, on the validation images',
    columns: [
      { key: 'dataset', label: 'Data set', kind: 'text', grouping: true },
      { key: 'method', label: 'Method', kind: 'text', grouping: true },
      { key: 'bins', label: 'Bins of', kind: 'text', grouping: true },
      { key: 'bin', label: 'Bin', kind: 'text' },
      { key: 'stitches', label: 'Stitches', kind: 'number', precision: 0 },
      { key: 'chosen', label: 'By importance', kind: 'text' },
      { key: 'chosenAccuracy', label: '(%)', kind: 'number' },
      { key: 'best', label: 'Best', kind: 'text' },
      { key: 'bestAccuracy', label: '(%)', kind: 'number' },
      { key: 'regret', label: 'Regret', kind: 'number' },
    ],
    rows,
    notes: [
      'regret: percentage points of validation accuracy that the choice by importance gives away; the best is chosen by these images, so that its own number flatters it; of language models it is the one with the lowest loss',
    ],
  };
}

function rowsOf(
  { run, name, result, validation }: TrialRecord,
  machines: readonly MachineMeasurements[],
  namesRun: boolean,
): Row[] {
  if (!result || !validation) return [];
  const timed = machines.flatMap((machine) => {
    const measured = measuredOn(machine, { name, result })?.stitches ?? [];
    const latencies = measured.flatMap((stitch) => {
      const median = latencyOf(stitch);
      return median === undefined ? [] : [[stitch.id, median] as const];
    });
    const bins = binsOfLatency(validation, new Map(latencies));
    return bins ? [{ label: `ms on ${machine.machine}`, bins }] : [];
  });
  const series = `${methodLabel(seriesOf(result))}, seed ${result.seed}${namesRun ? ` · ${run}` : ''}`;
  return [{ label: 'FLOPs', bins: binsOfFlops(validation) }, ...timed].flatMap(({ label, bins }) => {
    const shared = { dataset: datasetLabel(result.dataset), method: series, bins: label };
    const regrets = regretsOf(validation, bins);
    const rows = regrets.map(({ bin, stitches, chosen, best, regret }, index): Row => {
      const choice = { chosen: `stitch ${chosen.id}`, chosenAccuracy: chosen.accuracy };
      const top = { best: `stitch ${best.id}`, bestAccuracy: best.accuracy };
      return {
        startsGroup: index === 0,
        cells: { ...shared, bin: String(bin + 1), stitches, ...choice, ...top, regret },
      };
    });
    return regrets.length === 0 ? [] : [...rows, meanRow(shared, regrets)];
  });
}

function meanRow(shared: Row['cells'], regrets: readonly BinRegret[]): Row {
  const meanOf = (take: (regret: BinRegret) => number) => mean(regrets.map(take));
  return {
    cells: {
      ...shared,
      bin: 'mean',
      stitches: meanOf(({ stitches }) => stitches),
      chosen: '',
      chosenAccuracy: meanOf(({ chosen }) => chosen.accuracy),
      best: '',
      bestAccuracy: meanOf(({ best }) => best.accuracy),
      regret: meanOf(({ regret }) => regret),
    },
  };
}
