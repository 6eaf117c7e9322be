/** With what a machine was measured, as far as its table says: times of other settings are times of another machine. */
import type { MachineMeasurements, MeasuredTrial } from './measurement.js';

export interface MeasuredSettings {
  /** Execution provider. */
  readonly device: string;
  /** Threads of one operator; undefined beside a CPU. */
  readonly threads?: number;
  /** Images at once, ascending; undefined where the trial was not measured. */
  readonly batches?: readonly number[];
  /** Visits of each stitch; undefined where they were not noted. */
  readonly rounds?: number;
}

/**
 * Undefined where `esta measure` has not measured it: a table from elsewhere says nothing that can be given again.
 * @param trial what the table has of a trial; left out: what holds for all of them
 */
export function settingsOf(
  { runtime, processor }: Pick<MachineMeasurements, 'runtime' | 'processor'>,
  trial?: Pick<MeasuredTrial, 'rounds' | 'stitches'>,
): MeasuredSettings | undefined {
  // The version of ONNX Runtime is no setting: one that is newer measures under the same name.
  const [, device, threads] = /^onnxruntime .+?, (\w+)(?:, (\d+) threads?)?$/.exec(runtime) ?? [];
  if (device === undefined || processor === undefined) return undefined;
  const batches = trial?.stitches.flatMap(({ latencies }) => latencies.map(({ batch }) => batch));
  return {
    device,
    ...(threads !== undefined && { threads: Number(threads) }),
    ...(batches && { batches: [...new Set(batches)].sort((a, b) => a - b) }),
    ...(trial?.rounds !== undefined && { rounds: trial.rounds }),
  };
}
