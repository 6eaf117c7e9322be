/** What stitches take on the machines that have measured them, beside what FLOPs promise. */
import { latencyOf, type MeasuredStitch } from '../../run-folder/measured/measurement.js';
import { measuredOn } from '../../run-folder/measured/measurements-folder.js';
import { type StitchResult, seriesOf } from '../../run-folder/result.js';
import type { RunFolder } from '../../run-folder/run-folder.js';
import type { TrialRecord } from '../../run-folder/trial-record.js';
import { datasetLabel, methodLabel, pathLabel } from '../curves/labels.js';
import { areOnFront, misleadingPairs, reversedPairs } from '../curves/pareto.js';
import { none, type Row, type Table } from '../render/table.js';

export interface MeasuredPoint {
  /** Undefined where the stitch is not deployed, so that its accuracy is not known. */
  readonly stitch: StitchResult | undefined;
  readonly measured: MeasuredStitch;
  readonly flops: number;
  /** Milliseconds of one image at a time. */
  readonly median: number;
  readonly p90: number | undefined;
  /** Whether no deployed stitch is both faster and more accurate. */
  readonly onFront: boolean;
}

/** A finished trial on one machine. */
export interface MeasuredCurve {
  readonly machine: string;
  readonly runtime: string;
  readonly dataset: string;
  /** With the seed, where several were measured. */
  readonly method: string;
  /** By FLOPs. */
  readonly points: readonly MeasuredPoint[];
}

interface MeasuredRuns extends Pick<RunFolder, 'machines'> {
  readonly trials: readonly Pick<TrialRecord, 'name' | 'result'>[];
}

export function measuredCurvesOf(runs: readonly MeasuredRuns[]): MeasuredCurve[] {
  return runs.flatMap(({ machines, trials }) => {
    const finished = trials.flatMap(({ name, result }) => (result ? [{ name, result }] : []));
    return finished.flatMap(({ name, result }) => {
      const method = methodLabel(seriesOf(result));
      const repeated = finished.filter((other) => seriesOf(other.result) === seriesOf(result)).length > 1;
      return machines.flatMap((machine): MeasuredCurve[] => {
        const measured = measuredOn(machine, { name, result });
        const points = measured ? pointsOf(measured.stitches, result.stitches) : [];
        if (points.length === 0) return [];
        return [
          {
            machine: machine.machine,
            runtime: machine.runtime,
            dataset: datasetLabel(result.dataset),
            method: repeated ? `${method}, seed ${result.seed}` : method,
            points,
          },
        ];
      });
    });
  });
}

function pointsOf(measured: readonly MeasuredStitch[], results: readonly StitchResult[]): MeasuredPoint[] {
  const timed = measured.flatMap((entry) => {
    const median = latencyOf(entry);
    if (median === undefined) return [];
    const p90 = entry.latencies.find(({ batch }) => batch === 1)!.p90_ms;
    return [{ stitch: results.find(({ id }) => id === entry.id), measured: entry, flops: entry.flops, median, p90 }];
  });
  const tested = timed.filter(({ stitch }) => stitch);
  const front = areOnFront(tested.map(({ stitch, median }) => ({ cost: median, accuracy: stitch!.accuracy })));
  return timed
    .map((point) => ({ ...point, onFront: front[tested.indexOf(point)] ?? false }))
    .sort((a, b) => a.flops - b.flops);
}

/** Undefined where nothing was measured. */
export function latencyView(curves: readonly MeasuredCurve[]): Table | undefined {
  if (curves.length === 0) return undefined;
  return {
    name: 'latency',
    title: 'What stitches take, measured',
    columns: [
      { key: 'machine', label: 'Machine', kind: 'text', grouping: true },
      { key: 'dataset', label: 'Data set', kind: 'text', grouping: true },
      { key: 'method', label: 'Method', kind: 'text', grouping: true },
      { key: 'stitch', label: 'Stitch', kind: 'number', precision: 0 },
      { key: 'path', label: 'Blocks', kind: 'text' },
      { key: 'flops', label: 'MFLOPs', kind: 'number', precision: 1 },
      { key: 'median', label: 'Median (ms)', kind: 'number', precision: 2 },
      { key: 'p90', label: 'p90 (ms)', kind: 'number', precision: 2 },
      { key: 'throughput', label: 'Images/s', kind: 'number', precision: 0 },
      { key: 'memory', label: 'Memory (MB)', kind: 'number', precision: 1 },
      { key: 'size', label: 'File (MB)', kind: 'number', precision: 1 },
      { key: 'accuracy', label: 'Accuracy (%)', kind: 'number' },
      { key: 'front', label: 'Front', kind: 'text' },
    ],
    rows: curves.flatMap((curve) => curve.points.map((point, index) => rowOf(curve, point, index === 0))),
    notes: [
      'median, p90: milliseconds of one image at a time; images/s: at the largest batch; memory: that running the stitch adds',
      'front *: no deployed stitch is both faster and more accurate',
      ...curves.map((curve) =>
        [`${curve.machine}: ${curve.runtime}`, flopsVerdict(curve), ...busyNote(curve)].join('; '),
      ),
    ],
  };
}

function rowOf({ machine, dataset, method }: MeasuredCurve, point: MeasuredPoint, startsGroup: boolean): Row {
  const { stitch, measured, flops, median, p90, onFront } = point;
  const largest = measured.latencies.reduce((one, other) => (other.batch > one.batch ? other : one));
  return {
    startsGroup,
    cells: {
      machine,
      dataset,
      method,
      stitch: measured.id,
      path: stitch ? pathLabel(stitch.path) : none,
      flops: flops / 1e6,
      median,
      p90: p90 ?? none,
      throughput: (1000 * largest.batch) / largest.median_ms,
      memory: measured.peak_memory_bytes === undefined ? none : measured.peak_memory_bytes / 1e6,
      size: measured.file_bytes === undefined ? none : measured.file_bytes / 1e6,
      accuracy: stitch?.accuracy ?? none,
      front: onFront ? '*' : '',
    },
  };
}

/** A 90th percentile of so many medians, of half of the stitches, is not theirs. */
const busyRatio = 1.5;

function busyNote({ points }: Pick<MeasuredCurve, 'points'>): string[] {
  const isWide = ({ median, p90 }: MeasuredPoint) => p90 !== undefined && p90 > busyRatio * median;
  if (points.filter(isWide).length <= points.length / 2) return [];
  return ['other programs were running, as the 90th percentiles show: measure --again when they are not'];
}

/** Whether FLOPs order stitches as the clock does, in a sentence. */
export function flopsVerdict({ points }: Pick<MeasuredCurve, 'points'>): string {
  const [worst, ...others] = misleadingPairs(points);
  const pairs = (points.length * (points.length - 1)) / 2;
  if (!worst) {
    const reversed = reversedPairs(points).length;
    const order = 'FLOPs order these stitches as milliseconds do';
    if (reversed === 0) return order;
    return `${order}, beyond the noise of the measurement: within it, medians of ${reversed} of ${pairs} pairs are the other way round`;
  }
  const { fewer, more } = worst;
  const name = ({ measured: { id } }: MeasuredPoint) => `stitch ${id}`;
  const share = Math.round((100 * fewer.flops) / more.flops);
  return (
    `FLOPs mislead in ${others.length + 1} of ${pairs} pairs, beyond the noise of the measurement: ${name(fewer)} has ${share} % of the FLOPs of ${name(more)} ` +
    `and takes ${(fewer.median / more.median).toFixed(2)} times as long`
  );
}
