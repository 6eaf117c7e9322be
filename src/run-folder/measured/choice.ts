/**
 * The stitch for a budget: of the deployed ones that it can pay for, the one with the most FLOPs. So neither the noise of
 * a clock nor the test images choose between two that fit.
 */
import type { Budget } from '../../shared/costs/budget.js';
import { type Cost, formatCost } from '../../shared/costs/format-cost.js';
import { RequestError } from '../../shared/errors.js';
import { estaCommand, formatNextStep } from '../../shared/next-step.js';
import type { StitchResult, TrialResult } from '../result.js';
import { latencyOf, type MachineMeasurements, type MeasuredStitch } from './measurement.js';
import { measuredOn } from './measurements-folder.js';

/** A finished trial, and what was measured of its run. */
export interface MeasuredRun {
  readonly folder: string;
  /** Name of the trial folder. */
  readonly name: string;
  readonly result: TrialResult;
  readonly machines: readonly MachineMeasurements[];
}

export interface PricedStitch {
  readonly stitch: StitchResult;
  /** Milliseconds of one image, bytes, FLOPs or parameters. */
  readonly price: number;
}

export interface Prices {
  readonly cost: Cost;
  /** By rising FLOPs; stitches without a price are left out. */
  readonly stitches: readonly PricedStitch[];
  /** The machine whose milliseconds these are. */
  readonly machine?: string;
}

/** Bytes of a float32 parameter: the size of a file that was not measured. */
const parameterBytes = 4;

/**
 * What the deployed stitches cost. Sizes are those of the files that `esta measure` has written, all of them, or else of the
 * weights: a table from elsewhere may be of other files, in 8 bits perhaps, and counts where it is asked for.
 * @param machine needed where several have measured latencies
 * @throws RequestError where there are no milliseconds, and no way to tell which machine is meant
 */
export function pricesOf(run: MeasuredRun, cost: Cost, machine?: string): Prices {
  const stitches = run.result.stitches.toSorted((a, b) => a.flops - b.flops);
  const priced = (priceOf: (stitch: StitchResult) => number | undefined) =>
    stitches.flatMap((stitch) => {
      const price = priceOf(stitch);
      return price === undefined ? [] : [{ stitch, price }];
    });
  switch (cost) {
    case 'flops':
    case 'params':
      return { cost, stitches: priced((stitch) => stitch[cost]) };
    case 'size': {
      if (machine !== undefined) {
        const { table, stitches: measured } = measuredBy(run, machine);
        return { cost, stitches: priced(({ id }) => bytesIn(measured, id)), machine: table.machine };
      }
      const own = run.machines.filter(({ processor }) => processor !== undefined);
      const whole = own
        .map((table) => measuredOn(table, run)?.stitches ?? [])
        .find((measured) => stitches.every(({ id }) => bytesIn(measured, id) !== undefined));
      return { cost, stitches: priced(({ id, params }) => (whole ? bytesIn(whole, id) : parameterBytes * params)) };
    }
    case 'latency': {
      const { table, stitches: measured } = measuredBy(run, machine);
      return { cost, stitches: priced(({ id }) => latencyOfStitch(measured, id)), machine: table.machine };
    }
  }
}

/**
 * Whether a budget pays for it. FLOPs and parameters are compared to the digits that tables print, so that a number copied
 * from one buys what stands beside it; milliseconds and bytes are limits of a device, and hold to the last digit.
 */
export function isWithin({ cost, limit }: Budget, price: number): boolean {
  if (price <= limit) return true;
  return (cost === 'flops' || cost === 'params') && formatCost(cost, price) === formatCost(cost, limit);
}

/** @throws RequestError where nothing fits: it names what comes nearest */
export function chooseWithin(run: MeasuredRun, budget: Budget, prices: Prices): PricedStitch {
  const { cost, limit } = budget;
  const affordable = prices.stitches.filter(({ price }) => isWithin(budget, price));
  const largest = affordable.at(-1);
  if (largest) return largest;
  const [first, ...others] = prices.stitches;
  if (!first) {
    throw new RequestError(
      `${prices.machine} has measured no deployed stitch of ${run.name} by ${cost === 'size' ? 'the size of its file' : 'its milliseconds'}`,
      'Measure on that machine: esta measure, or import a table that has them.',
    );
  }
  const near = others.reduce((best, other) => (other.price < best.price ? other : best), first);
  const where = prices.machine ? ` on ${prices.machine}` : '';
  const all = prices.stitches.map(({ stitch, price }) => `${stitch.id} (${formatCost(cost, price)})`).join(', ');
  throw new RequestError(
    `no stitch of ${run.name} costs ${formatCost(cost, limit)} or less${where}: the nearest is stitch ${near.stitch.id} with ${formatCost(cost, near.price)}`,
    `Deployed are ${all}.`,
  );
}

/**
 * What one machine has measured of a trial, stitches that are not deployed among it.
 * @param machine needed where several have measured latencies
 * @throws RequestError where there are no milliseconds, and no way to tell which machine is meant
 */
export function measuredBy(
  run: MeasuredRun,
  machine?: string,
): { readonly table: MachineMeasurements; readonly stitches: readonly MeasuredStitch[] } {
  const tables = run.machines.flatMap((table) => {
    const stitches = measuredOn(table, run)?.stitches;
    return stitches?.some((stitch) => latencyOf(stitch) !== undefined) ? [{ table, stitches }] : [];
  });
  const matching = machine === undefined ? tables : tables.filter(({ table }) => table.machine === machine);
  if (matching.length === 1) return matching[0]!;
  const names = tables.map(({ table }) => table.machine).join(', ');
  if (tables.length === 0) {
    if (run.result.stitches.some(({ loss }) => loss !== undefined)) {
      throw new RequestError(
        `${run.name} has trained language models, whose milliseconds are not measured`,
        'Give a budget of parameters, bytes or FLOPs: 1Mparams, 4MB.',
      );
    }
    const command = estaCommand('measure', run.folder, '--trial', run.name);
    throw new RequestError(
      `nobody has measured milliseconds of ${run.name}`,
      formatNextStep({ purpose: 'Measure on this machine, or import a table with --import FILE:', command }),
    );
  }
  throw new RequestError(
    machine === undefined
      ? `${run.name} was measured on ${tables.length} machines`
      : `${run.name} was not measured on ${JSON.stringify(machine)}`,
    `Choose one with --machine: ${names}.`,
  );
}

function bytesIn(measured: readonly MeasuredStitch[], id: number): number | undefined {
  return measured.find((entry) => entry.id === id)?.file_bytes;
}

function latencyOfStitch(measured: readonly MeasuredStitch[], id: number): number | undefined {
  const stitch = measured.find((entry) => entry.id === id);
  return stitch && latencyOf(stitch);
}
