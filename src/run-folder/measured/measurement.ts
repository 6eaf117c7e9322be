/**
 * `<run>/measurements/<machine>.json`: what stitches take on one machine, measured by `esta measure` or elsewhere. A table
 * belongs to the trials of one run: their names and fingerprints are in it, so that one of another run is refused.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { invalidFile } from '../../config/problems.js';
import { RequestError } from '../../shared/errors.js';
import type { StitchResult, TrialResult } from '../result.js';

/** A change that an old reader would misunderstand raises it. */
export const measurementVersion = 1;

const count = z.number().int().nonnegative();
const positive = z.number().positive();

const latency = z.object({
  /** Images at once. */
  batch: z.number().int().positive(),
  /** Milliseconds of the whole batch. */
  median_ms: positive,
  p90_ms: positive.exactOptional(),
  /** Runs that were timed. */
  runs: count.exactOptional(),
});

const measuredStitch = z.object({
  id: count,
  flops: positive,
  /** Of the exported file. */
  file_bytes: positive.exactOptional(),
  /** What running it adds to the memory of a process, at the largest batch. */
  peak_memory_bytes: positive.exactOptional(),
  latencies: z.array(latency).min(1),
});

const measuredTrial = z.object({
  trial: z.string().min(1),
  fingerprint: z.string().min(1),
  /** Visits of each stitch; left out: not known. */
  rounds: z.number().int().positive().exactOptional(),
  stitches: z.array(measuredStitch).min(1),
});

const machine = z.object({
  version: z.literal(measurementVersion),
  machine: z.string().min(1),
  /** What computed, for people: "onnxruntime 1.30.0, cpu, 2 threads". */
  runtime: z.string().min(1),
  processor: z.string().exactOptional(),
  platform: z.string().exactOptional(),
  /** ISO 8601. */
  measured_at: z.string(),
  trials: z.array(measuredTrial).min(1),
});

export type MeasuredStitch = z.output<typeof measuredStitch>;
export type MeasuredTrial = z.output<typeof measuredTrial>;
/** The content of a file. */
export type MachineMeasurements = z.output<typeof machine>;

/** Checks the content of a measurements file; a RequestError names `file` and every problem with its dotted path. */
export function parseMeasurements(content: unknown, file: string): MachineMeasurements {
  const version = (content as { version?: unknown } | null)?.version;
  if (typeof version === 'number' && version !== measurementVersion) {
    throw new RequestError(
      `${file} has format ${version}, this version of esta reads ${measurementVersion}`,
      'Measure again with this version.',
    );
  }
  const parsed = machine.safeParse(content, { reportInput: true });
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message, input }) => ({
    path,
    message: `${message}, received ${JSON.stringify(input)}`,
  }));
  throw invalidFile(file, problems, 'Measure again, or correct it.');
}

/** What costs depend on: the task, the settings, and which stitches there are. Accuracies are no part of it. */
export function fingerprintOf(
  result: Pick<TrialResult, 'dataset' | 'method' | 'seed' | 'settings'> & {
    readonly stitches: readonly Pick<StitchResult, 'id' | 'flops'>[];
  },
): string {
  const { dataset, method, seed, settings, stitches } = result;
  const identity = [dataset, method, seed, settings ?? null, stitches.map(({ id, flops }) => [id, flops])];
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 12);
}

/** Milliseconds of one image at a time; undefined where that was not measured. */
export function latencyOf({ latencies }: MeasuredStitch): number | undefined {
  return latencies.find(({ batch }) => batch === 1)?.median_ms;
}
