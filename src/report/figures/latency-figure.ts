/** Accuracy against FLOPs and, beside it, against measured milliseconds; the Pareto front of each is joined by a line. */
import type { TopLevelSpec } from 'vega-lite';
import { areOnFront } from '../curves/pareto.js';
import type { MeasuredCurve } from '../views/latency-view.js';
import { colourBy, figureFrame, figureTitle } from './figure-style.js';

/** A colour for each machine, data set and method; names hold what differs. */
export function latencyFigure(curves: readonly MeasuredCurve[]): TopLevelSpec {
  const names = namesOf(curves);
  const values = curves.flatMap(({ points }, index) => {
    const tested = points.flatMap(({ stitch, ...point }) => (stitch ? [{ ...point, accuracy: stitch.accuracy }] : []));
    const byFlops = areOnFront(tested.map(({ flops, accuracy }) => ({ cost: flops, accuracy })));
    return tested.map(({ flops, median, onFront, accuracy }, position) => ({
      curve: names[index]!,
      accuracy,
      mflops: flops / 1e6,
      flopsFront: byFlops[position]!,
      ms: median,
      msFront: onFront,
    }));
  });
  const color = colourBy('curve', names);
  const panel = (field: string, front: string, title: string, yTitle: string | null) => {
    const x = { field, type: 'quantitative', title, scale: { zero: true, nice: true } };
    const y = {
      field: 'accuracy',
      type: 'quantitative',
      title: yTitle,
      scale: { zero: false, nice: true, padding: 8 },
    };
    const onFront = [{ filter: `datum.${front}` }];
    return {
      width: 300,
      height: 240,
      layer: [
        { mark: { type: 'point', filled: true, size: 36, opacity: 0.35 }, encoding: { x, y, color } },
        { transform: onFront, mark: { type: 'line', strokeWidth: 1.6 }, encoding: { x, y, color } },
        { transform: onFront, mark: { type: 'point', filled: true, size: 64, opacity: 1 }, encoding: { x, y, color } },
      ],
    };
  };
  const spec = {
    ...figureFrame,
    data: { values },
    title: figureTitle('Accuracy against FLOPs and against time', 'lines: no deployed stitch costs less and is better'),
    hconcat: [
      panel('mflops', 'flopsFront', 'FLOPs (M)', 'Top-1 accuracy (%)'),
      panel('ms', 'msFront', 'Milliseconds of one image, measured', null),
    ],
    spacing: 30,
  };
  return spec as TopLevelSpec;
}

/** What differs between the curves; of one curve its machine. */
function namesOf(curves: readonly MeasuredCurve[]): string[] {
  const parts = ['machine', 'dataset', 'method'] as const;
  const differing = parts.filter((part) => new Set(curves.map((curve) => curve[part])).size > 1);
  return curves.map((curve) =>
    (differing.length > 0 ? differing : ['machine' as const]).map((part) => curve[part]).join(', '),
  );
}
