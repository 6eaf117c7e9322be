/** `esta run FILE --list --workers N`: what more workers buy, before they are paid for. */
import { durationLabel } from '../../report/curves/labels.js';
import { renderText } from '../../report/render/render-text.js';
import type { Table } from '../../report/render/table.js';
import { formatCost } from '../../shared/costs/format-cost.js';
import { RequestError } from '../../shared/errors.js';
import { sum } from '../../shared/groups.js';
import type { ListedItem, Listing } from './listing.js';
import { simulate, type Work, workerCounts } from './schedule.js';

/** `--list --workers N --json` adds it to the listing. */
export interface Forecast {
  /** Whether the seconds of all steps were measured. */
  readonly measured: boolean;
  /** Largest checkpoints of all that is unfinished, at once. */
  readonly checkpoints_bytes: number;
  readonly by_workers: readonly {
    readonly workers: number;
    readonly makespan_seconds: number;
    /** Of all workers together: hours of GPUs, where each has one. */
    readonly worker_hours: number;
    /** Checkpoints, to the shared folder. */
    readonly written_bytes_per_second: number;
    /** Heartbeats, checks of locks, and checkpoints. */
    readonly file_operations_per_second: number;
  }[];
}

export interface ForecastOptions {
  readonly workers: number;
  readonly checkpointMinutes: number;
}

/** A process, its images, and the fit of the stitching layers take about so long. */
const startSeconds = 20;
/** Evaluation takes about this share of the training before it. */
const evaluationShare = 0.05;
/** A lock is touched every 15 seconds by three calls; a checkpoint takes about ten, with the checks of the lock. */
const callsPerBeat = 3;
const beatSeconds = 15;
const callsPerCheckpoint = 10;

/** @throws RequestError where the number of steps is not known */
export function forecastOf({ items }: Listing, { workers: most, checkpointMinutes }: ForecastOptions): Forecast {
  const left = items.filter(({ state }) => state !== 'finished');
  const unknown = left.find(({ seconds, does }) => does !== 'evaluation' && seconds === undefined);
  if (unknown) {
    throw new RequestError(
      `the steps of ${unknown.id} are not known: its images are not there, or not as they have to be`,
      'esta run FILE --dry-run names what is missing.',
    );
  }
  const secondsById = new Map(items.map(({ id, seconds = 0 }) => [id, seconds]));
  const work = left.map(
    (item): Work => ({ id: item.id, waitsFor: item.waits_for, seconds: secondsOf(item, secondsById) }),
  );
  const perCheckpoint = left.map(({ checkpoint_bytes: bytes = 0, seconds = 0 }) => ({
    bytes,
    count: Math.ceil(seconds / 60 / checkpointMinutes),
  }));
  const written = sum(perCheckpoint.map(({ bytes, count }) => bytes * count));
  const count = sum(perCheckpoint.map(({ count }) => count));
  return {
    measured: left.every(({ measured, does }) => measured || does === 'evaluation'),
    checkpoints_bytes: sum(perCheckpoint.map(({ bytes }) => bytes)),
    by_workers: workerCounts(most).map((workers) => {
      const { makespan, busySeconds } = simulate(work, { workers, startSeconds });
      const mean = makespan > 0 ? busySeconds / makespan : 0;
      return {
        workers,
        makespan_seconds: makespan,
        worker_hours: busySeconds / 3600,
        written_bytes_per_second: makespan > 0 ? written / makespan : 0,
        file_operations_per_second:
          (mean * callsPerBeat) / beatSeconds + (makespan > 0 ? (count * callsPerCheckpoint) / makespan : 0),
      };
    }),
  };
}

function secondsOf(
  { does, seconds = 0, waits_for: [before] }: ListedItem,
  secondsById: ReadonlyMap<string, number>,
): number {
  return does === 'evaluation' ? evaluationShare * secondsById.get(before!)! : seconds;
}

export function formatForecast({ measured, checkpoints_bytes, by_workers }: Forecast): string {
  const table: Table = {
    name: 'workers',
    title: 'What is left, by the number of workers',
    columns: [
      { key: 'workers', label: 'Workers', kind: 'number', precision: 0 },
      { key: 'makespan', label: 'Takes', kind: 'number' },
      { key: 'hours', label: 'Worker hours', kind: 'number', precision: 1 },
      { key: 'written', label: 'Written a second', kind: 'number' },
      { key: 'calls', label: 'File operations a second', kind: 'number', precision: 1 },
    ],
    rows: by_workers.map((row) => ({
      cells: {
        workers: row.workers,
        makespan: durationLabel(row.makespan_seconds),
        hours: row.worker_hours,
        written: formatCost('size', row.written_bytes_per_second),
        calls: row.file_operations_per_second,
      },
    })),
    notes: [
      `Checkpoints of all items together: ${formatCost('size', checkpoints_bytes)}`,
      ...(measured
        ? []
        : ['Guessed from multiply-accumulates on one core a worker: measure by finishing one trial here']),
    ],
  };
  return renderText(table);
}
