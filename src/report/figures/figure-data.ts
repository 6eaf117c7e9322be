/** Which curves a figure draws, in which panels and colours, and the rows its marks are drawn from. */

import type { ResultSegment } from '../../run-folder/result.js';
import { distinct, groupBy, mean } from '../../shared/groups.js';
import { type Curve, type CurvePoint, isAnchorsOnly } from '../curves/curve.js';
import { anchorLabel, datasetLabel, type FlopsUnit, flopsUnit, pathLabel } from '../curves/labels.js';

/** One mark of the figure. */
export interface FigurePoint {
  /** Name in the legend: a method, or a data set when one method is shown on several. */
  readonly series: string;
  readonly panel: string;
  /** FLOPs in the unit of the figure. */
  readonly flops: number;
  /** Percent. */
  readonly accuracy: number;
  readonly low: number;
  readonly high: number;
  readonly deployed: boolean;
  readonly anchor: boolean;
  /** Individually adapted anchors: stars without a line. */
  readonly alone: boolean;
  /** What a screen reader says and a pointer shows. */
  readonly description: string;
  readonly path: readonly ResultSegment[];
}

export interface FigureData {
  readonly title: string;
  readonly unit: FlopsUnit;
  readonly points: readonly FigurePoint[];
  /** In the order of the legend. */
  readonly series: readonly string[];
  readonly panels: readonly string[];
  /** Mean FLOPs of each anchor, in the unit of the figure, from the smallest. */
  readonly anchors: readonly { readonly label: string; readonly flops: number }[];
}

/** More data sets than this are shown as their mean. */
const mostPanels = 9;
/** One method on up to so many data sets shares one panel, a colour for each. */
const mostColours = 6;

/**
 * One data set: a panel with a colour for each method (Figure A: one for each number of shots). One method on a few data
 * sets: a panel with a colour for each data set. Otherwise a panel for each data set and for their mean (Figure B); only
 * the mean when there are more than fit. Methods that train different numbers of parameters are named with them.
 * @param means curves of the mean over data sets
 */
export function figureData(curves: readonly Curve[], means: readonly Curve[]): FigureData {
  const all = distinct(curves.map(({ dataset }) => dataset));
  const severalMethods = new Set(curves.map(({ method }) => method)).size > 1;
  const onlyMeans = all.length > mostPanels && means.length > 0;
  const shown = onlyMeans ? means : severalMethods ? [...curves, ...means] : curves;
  const datasets = distinct(shown.map(({ dataset }) => dataset));
  const methods = distinct(shown.map(({ method }) => method));
  const byDataset = methods.length === 1 && datasets.length > 1 && datasets.length <= mostColours;
  const unit = flopsUnit(shown.flatMap(({ points }) => points.map(({ flops }) => flops)));
  const trained = trainableLabels(shown);
  const points = shown.flatMap((curve) => {
    const series = byDataset ? datasetLabel(curve.dataset) : (trained.get(curve.method) ?? curve.method);
    const panel = byDataset ? '' : datasetLabel(curve.dataset);
    return curve.points.map((point) => figurePoint(curve, point, { series, panel, unit }));
  });
  return {
    title: titleOf(methods, datasets),
    unit,
    points,
    series: distinct(points.map(({ series }) => series)),
    panels: distinct(points.map(({ panel }) => panel)),
    anchors: anchorPositions(shown, unit),
  };
}

function figurePoint(
  curve: Curve,
  { flops, accuracy, deployed, anchor, stitch, bin }: CurvePoint,
  { series, panel, unit }: { series: string; panel: string; unit: FlopsUnit },
): FigurePoint {
  const spread = accuracy.deviation ?? 0;
  // Of several seeds, whose stitches differ: all have a bin. People count from 1.
  const name = stitch ? pathLabel(stitch.path) : `FLOPs bin ${bin! + 1}, stitches differ`;
  const size = `${(flops / unit.size).toFixed(2)} ${unit.symbol}FLOPs`;
  const percent = `${accuracy.mean.toFixed(2)}${accuracy.deviation === undefined ? '' : ` ± ${spread.toFixed(2)}`} %`;
  return {
    series,
    panel,
    flops: flops / unit.size,
    accuracy: accuracy.mean,
    low: accuracy.mean - spread,
    high: accuracy.mean + spread,
    deployed,
    anchor: anchor !== undefined,
    alone: isAnchorsOnly(curve),
    description: `${distinct([datasetLabel(curve.dataset), curve.method]).join(', ')}: ${name}; ${size}; ${percent}`,
    path: stitch?.path ?? [],
  };
}

/** "ESTA (1.46 M)" by method, where methods train different numbers of parameters; heads differ by data set: the mean. */
function trainableLabels(curves: readonly Curve[]): Map<string, string> {
  const labels = new Map<string, string>();
  for (const [method, same] of groupBy(curves, (curve) => curve.method)) {
    const counts = same.flatMap(({ trainable }) => (trainable === undefined ? [] : [trainable]));
    if (counts.length === 0) continue;
    labels.set(method, `${method} (${Number((mean(counts) / 1e6).toPrecision(3))} M)`);
  }
  const sizes = new Set([...labels.values()].map((label) => label.slice(label.lastIndexOf('('))));
  return sizes.size > 1 ? labels : new Map();
}

function titleOf(methods: readonly string[], datasets: readonly string[]): string {
  const method = methods.length === 1 ? methods[0] : undefined;
  const dataset = datasets.length === 1 ? datasetLabel(datasets[0]!) : undefined;
  return [dataset, method].filter((name) => name !== undefined).join(': ') || 'Accuracy against FLOPs';
}

function anchorPositions(curves: readonly Curve[], unit: FlopsUnit): { label: string; flops: number }[] {
  const flopsOf = new Map<string, number[]>();
  for (const { flops, anchor } of curves.flatMap(({ points }) => points)) {
    if (anchor !== undefined) flopsOf.set(anchor, [...(flopsOf.get(anchor) ?? []), flops / unit.size]);
  }
  return [...flopsOf]
    .map(([name, values]) => ({
      label: anchorLabel(name),
      flops: mean(values),
    }))
    .sort((a, b) => a.flops - b.flops);
}
