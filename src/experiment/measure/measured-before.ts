/** What a machine has measured of a trial before: whether that answers a request, and what else a new measurement measures. */

import { describeRuntime, type Surroundings } from '../../bench/latency/exported-file.js';
import type { MeasuredRun } from '../../run-folder/measured/choice.js';
import type { MachineMeasurements, MeasuredTrial } from '../../run-folder/measured/measurement.js';
import { measuredOn } from '../../run-folder/measured/measurements-folder.js';
import { counted } from '../../shared/costs/numbers.js';

export interface MeasureRequest extends Surroundings {
  /** Name of the machine, for the file and for --machine. */
  readonly machine: string;
  /** Every trained stitch; default: those that are deployed, and those that the machine has measured before. */
  readonly all?: boolean;
  /** Images at once, ascending; the first is 1. */
  readonly batches: readonly number[];
  readonly rounds: number;
}

/**
 * The measurements that a machine already has of all stitches, batches and rounds of a request; undefined where some are
 * missing. Where an old version has noted no rounds, they are taken to be enough.
 */
export function alreadyMeasured(
  run: MeasuredRun,
  ids: readonly number[],
  request: Pick<MeasureRequest, 'machine' | 'batches' | 'rounds'> & Surroundings,
): MachineMeasurements | undefined {
  const { machine, batches, rounds } = request;
  const table = tableOf(run, machine);
  const trial = trialOf(run, machine);
  const has = (id: number) => {
    const latencies = trial?.stitches.find((stitch) => stitch.id === id)?.latencies ?? [];
    return batches.every((batch) => latencies.some((entry) => entry.batch === batch));
  };
  const isLongEnough = (trial?.rounds ?? rounds) >= rounds;
  return table?.runtime === describeRuntime(request) && isLongEnough && ids.every(has) ? table : undefined;
}

/** What a user is told who gets a table instead of a measurement. */
export function shownNote(run: MeasuredRun, table: MachineMeasurements): string {
  const { rounds } = measuredOn(table, run)!;
  const count = rounds === undefined ? '' : `, in ${counted(rounds, 'round')}`;
  return `${run.name} on ${table.machine}: measured before${count}, which is shown here; --again measures anew`;
}

/**
 * Stitches that a new measurement would leave without times: the machine has measured them, and the table is written anew.
 * Times of one measurement are compared with each other, so that those of an earlier one cannot stay beside them.
 * @param trained ids of all trained stitches
 * @param ids of what is asked for
 */
export function measuredBesides(
  run: MeasuredRun,
  machine: string,
  trained: readonly number[],
  ids: readonly number[],
): number[] {
  const stitches = trialOf(run, machine)?.stitches ?? [];
  return trained.filter((id) => !ids.includes(id) && stitches.some((stitch) => stitch.id === id));
}

/** What a user is told of these. */
export function besidesNote(run: MeasuredRun, machine: string, besides: readonly number[]): string {
  const what = besides.length === 1 ? 'stitch that is not deployed is' : 'stitches that are not deployed are';
  return (
    `${run.name} on ${machine}: ${besides.length} ${what} measured again too, as they were before: times of one ` +
    'measurement belong together; another name, --machine NAME, leaves the table of before as it is'
  );
}

function trialOf(run: MeasuredRun, machine: string): MeasuredTrial | undefined {
  const table = tableOf(run, machine);
  return table && measuredOn(table, run);
}

function tableOf({ machines }: MeasuredRun, machine: string): MachineMeasurements | undefined {
  return machines.find((known) => known.machine === machine);
}
