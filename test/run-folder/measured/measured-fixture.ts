/** A finished trial of three stitches, and a machine on which the one with fewer FLOPs is not the faster one. */
import type { MeasuredRun } from '../../../src/run-folder/measured/choice.js';
import { fingerprintOf, type MachineMeasurements } from '../../../src/run-folder/measured/measurement.js';
import type { TrialResult } from '../../../src/run-folder/result.js';

const stitch = (id: number, flops: number, params: number, accuracy: number) => ({
  id,
  path: [{ anchor: 'Ti', blocks: [0, 12] as const }],
  flops,
  params,
  trainable: 1000,
  accuracy,
  bin: id,
});

export const result: TrialResult = {
  version: 1,
  dataset: 'beetles',
  method: 'esta',
  seed: 0,
  learningRate: 0.03,
  status: 'finished',
  settings: 'ab94f862ee36',
  trainSeconds: 10,
  epochs: 3,
  stitches: [stitch(7, 90e6, 900_000, 71), stitch(3, 20e6, 200_000, 60), stitch(5, 40e6, 410_000, 73)],
};

export const name = 'beetles-esta-seed0';

/** @param times milliseconds of one image by id: [median, p90] */
export function machine(
  machineName: string,
  times: Readonly<Record<number, readonly [number, number]>> = { 3: [2, 2.2], 5: [6, 6.3], 7: [4, 4.4] },
): MachineMeasurements {
  return {
    version: 1,
    machine: machineName,
    runtime: 'onnxruntime 1.30.0, cpu, 2 threads',
    measured_at: '2026-11-26T15:00:00.000Z',
    trials: [
      {
        trial: name,
        fingerprint: fingerprintOf(result),
        stitches: result.stitches
          .filter(({ id }) => times[id])
          .map(({ id, flops, params }) => ({
            id,
            flops,
            file_bytes: 4 * params + 50_000,
            latencies: [
              { batch: 1, median_ms: times[id]![0], p90_ms: times[id]![1], runs: 20 },
              { batch: 8, median_ms: 6 * times[id]![0], p90_ms: 6 * times[id]![1], runs: 20 },
            ],
          })),
      },
    ],
  };
}

export function measuredRun(...machines: MachineMeasurements[]): MeasuredRun {
  return { folder: 'runs/beetles', name, result, machines };
}
