/**
 * Results in the shape of the supplement's Table I: for each data set a row of FLOPs and a row of accuracies of the
 * deployed stitches; the paper's accuracy and our difference to it where it has the same stitch, or a mean over tasks.
 */

import { distinct, groupBy } from '../../shared/groups.js';
import { type Curve, type CurvePoint, deployedPoints } from '../curves/curve.js';
import { datasetLabel, flopsUnit } from '../curves/labels.js';
import { type PaperReference, paperAccuracy, paperMean } from '../paper/paper.js';
import { type Cell, type Column, none, type Row, type Table } from '../render/table.js';
import type { Unfinished } from './unfinished.js';

/** More stitches than Table I has a row are thinned out, see `listedPoints`. */
const mostColumns = 15;

/** @param means over data sets, of some or all methods; [] for one task */
export function tableOneView(
  ofDatasets: readonly Curve[],
  means: readonly Curve[],
  unfinished: readonly Unfinished[],
  reference: PaperReference,
): Table {
  const curves = [...ofDatasets, ...means];
  const palettes = curves
    .map((curve) => ({ curve, points: listedPoints(curve) }))
    .filter(({ points }) => points.length);
  const unit = flopsUnit(palettes.flatMap(({ points }) => points.map(({ flops }) => flops)));
  const width = Math.max(unfinished.length > 0 ? 1 : 0, ...palettes.map(({ points }) => points.length));
  const severalMethods = new Set([...curves, ...unfinished].map(({ method }) => method)).size > 1;
  const label = (key: string, text: string): Column => ({ key, label: text, kind: 'text', grouping: true });
  const columns: Column[] = [
    label('dataset', 'Data set'),
    ...(severalMethods ? [label('method', 'Method')] : []),
    { key: 'quantity', label: '', kind: 'text' },
    ...Array.from(
      { length: width },
      (_, index): Column => ({ key: `${index + 1}`, label: `${index + 1}`, kind: 'number' }),
    ),
  ];
  const rows = palettes.flatMap(({ curve, points }): Row[] => {
    const row = (quantity: string, value: (point: CurvePoint) => Cell, startsGroup = false): Row => ({
      startsGroup,
      cells: {
        dataset: datasetLabel(curve.dataset),
        method: curve.method,
        quantity,
        // Data sets deploy different numbers of stitches: beyond the last one there is nothing to be missing.
        ...Object.fromEntries(
          Array.from({ length: width }, (_, index) => {
            const point = points[index];
            return [`${index + 1}`, point ? value(point) : none];
          }),
        ),
      },
    });
    const anchors = points.flatMap(({ stitch }) => stitch?.path.map(({ anchor }) => anchor) ?? []);
    const paper = ({ stitch, flops }: CurvePoint) =>
      (stitch && paperAccuracy(reference, curve, stitch)) ?? paperMean(reference, curve, flops, anchors);
    const compared = points.some((point) => paper(point) !== undefined);
    return [
      row(`FLOPs (${unit.symbol})`, ({ flops }) => flops / unit.size, true),
      row('Accuracy (%)', ({ accuracy }) => accuracy),
      ...(compared
        ? [
            row('Paper (%)', (point) => paper(point) ?? none),
            row('Difference', (point) => {
              const theirs = paper(point);
              return theirs === undefined ? none : { difference: point.accuracy.mean - theirs };
            }),
          ]
        : []),
    ];
  });
  for (const { dataset, method, mark } of unfinished) {
    const cells = Object.fromEntries(Array.from({ length: width }, (_, index) => [`${index + 1}`, { mark }]));
    const names = { dataset: datasetLabel(dataset), method, quantity: 'Accuracy (%)' };
    rows.push({ startsGroup: true, cells: { ...names, ...cells } });
  }
  const title = 'FLOPs and top-1 accuracy of the deployed stitches (as Table I)';
  const notes = [...notesFor(palettes.map(({ curve }) => curve)), ...meansNote(ofDatasets, means)];
  return { name: 'table-one', title, columns, rows, notes };
}

/** The deployed stitches; of a longer frontier the best in each of fifteen ranges of FLOPs of equal width. */
function listedPoints(curve: Curve): CurvePoint[] {
  const points = deployedPoints(curve);
  if (points.length <= mostColumns || points.some(({ bin }) => bin !== undefined)) return points;
  const [low, high] = [points[0]!.flops, points.at(-1)!.flops];
  const rangeOf = ({ flops }: CurvePoint) =>
    Math.min(mostColumns - 1, Math.floor(((flops - low) / (high - low)) * mostColumns));
  // Accuracy rises along a frontier, so the last of a range is its best.
  return [...groupBy(points, rangeOf).values()].map((range) => range.at(-1)!);
}

/** A mean has the bins that all of its data sets have. */
function meansNote(curves: readonly Curve[], means: readonly Curve[]): string[] {
  const binsOf = (curve: Curve) => deployedPoints(curve).flatMap(({ bin }) => bin ?? []);
  const lacks = means.some((mean) => {
    const bins = new Set(binsOf(mean));
    return curves.some((curve) => curve.method === mean.method && binsOf(curve).some((bin) => !bins.has(bin)));
  });
  return lacks ? ['means over data sets: without the bins that some of them leave empty'] : [];
}

function notesFor(curves: readonly Curve[]): string[] {
  const notes: string[] = [];
  const seeds = new Set(curves.map((curve) => curve.seeds.length));
  if ([...seeds].some((count) => count > 1)) {
    notes.push(`mean ± standard deviation over seeds (${[...seeds].sort().join(' or ')} of them)`);
  }
  const isPartial = (curve: Curve) => listedPoints(curve).some(({ accuracy }) => accuracy.count < curve.seeds.length);
  if (curves.some(isPartial)) notes.push('a bin that some seeds leave empty: mean over the other seeds');
  // One stitch was chosen by whoever had it trained alone.
  const chosenByTest = curves.filter(({ points }) => points.length > 1 && points.every(({ bin }) => bin === undefined));
  const methods = distinct(
    chosenByTest.filter(({ points }) => points.some(({ anchor }) => !anchor)).map(({ method }) => method),
  );
  if (methods.length > 0) {
    notes.push(`${methods.join(', ')}: from the Pareto frontier of all evaluated stitches, chosen by test accuracy`);
  }
  return notes;
}
