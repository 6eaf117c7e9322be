/** The FLOPs-accuracy figure as a Vega-Lite specification; points carry their description as aria-label. */
import type { TopLevelSpec } from 'vega-lite';
import type { FigureData } from './figure-data.js';
import { colours, figureFrame, figureTitle, panelsBy, shapes } from './figure-style.js';

/** The supplement's yellow stars: individually adapted anchors. */
const aloneColour = '#E8B400';

/** Pixels that a character of DejaVu Sans takes at 11 pixels, on average rather too much. */
const labelCharacter = 6.5;

/** A five-pointed star in Vega's symbol coordinates (the unit square around the origin). */
const star = starPath();

export function figureSpec(data: FigureData): TopLevelSpec {
  const { points, series, panels, anchors, unit } = data;
  const faceted = panels.length > 1;
  const size = faceted ? { width: 260, height: 200 } : { width: 520, height: 340 };
  const lined = series.filter((name) => points.some((point) => point.series === name && !point.alone));
  const order = [...lined, ...series.filter((name) => !lined.includes(name))];
  const colourOf = (name: string) =>
    lined.includes(name) ? colours[lined.indexOf(name) % colours.length]! : aloneColour;
  const shapeOf = (name: string) => (lined.includes(name) ? shapes[lined.indexOf(name) % shapes.length]! : star);
  const legend =
    order.length > 1 ? { title: null, orient: 'bottom' as const, columns: 4, symbolSize: 90, symbolOpacity: 1 } : null;
  const colour = {
    field: 'series',
    type: 'nominal',
    scale: { domain: order, range: order.map(colourOf) },
    legend,
  } as const;
  const shape = {
    field: 'series',
    type: 'nominal',
    scale: { domain: order, range: order.map(shapeOf) },
    legend,
  } as const;
  const xMax = 1.04 * Math.max(...points.map(({ flops }) => flops));
  const x = {
    field: 'flops',
    type: 'quantitative',
    title: `FLOPs (${unit.symbol})`,
    scale: { zero: true, nice: false, domainMin: 0, domainMax: xMax },
    axis: { tickCount: faceted ? 5 : 9, labelFlush: false },
  } as const;
  const y = {
    field: 'accuracy',
    type: 'quantitative',
    title: 'Top-1 accuracy (%)',
    scale: { zero: false, nice: true, padding: 8 },
    axis: { tickCount: faceted ? 5 : 7 },
  } as const;
  const hasPale = points.some(({ deployed, anchor }) => !deployed && !anchor);
  const where = (test: string) => [{ filter: test }];
  const described = { description: { field: 'description', type: 'nominal' } } as const;
  const layer = [
    {
      data: { values: [...anchors] },
      mark: { type: 'rule', color: '#B0B0B0', strokeDash: [3, 3] },
      encoding: { x: { ...x, field: 'flops' } },
    },
    {
      data: { values: anchorLabels(anchors, size.width / xMax) },
      mark: { type: 'text', baseline: 'bottom', fontSize: 11, fill: '#555555', y: -3, dy: { expr: '-14 * datum.row' } },
      encoding: { x: { ...x, field: 'flops' }, text: { field: 'label' } },
    },
    {
      transform: where('datum.deployed && datum.high > datum.low'),
      mark: { type: 'rule', strokeWidth: 1.2, opacity: 0.7 },
      encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color: colour },
    },
    {
      transform: where('datum.deployed && !datum.alone'),
      mark: { type: 'line', strokeWidth: 1.8 },
      encoding: { x, y, color: colour, order: { field: 'flops', type: 'quantitative' } },
    },
    {
      transform: where('!datum.deployed && !datum.anchor'),
      mark: { type: 'point', filled: true, size: 14, opacity: 0.3 },
      encoding: { x, y, color: colour, shape, ...described },
    },
    {
      transform: where('datum.deployed && !datum.anchor'),
      mark: { type: 'point', filled: true, size: 42, opacity: 1 },
      encoding: { x, y, color: colour, shape, ...described },
    },
    {
      transform: where('datum.anchor'),
      mark: { type: 'point', filled: true, shape: star, size: 190, opacity: 1, stroke: '#333333', strokeWidth: 0.8 },
      encoding: { x, y, fill: colour, ...described },
    },
  ];
  const values = points.map(({ path: _, ...point }) => point);
  const shared = {
    ...figureFrame,
    data: { values },
    title: figureTitle(
      data.title,
      hasPale ? 'stars: anchors; small pale points: evaluated, not deployed' : 'stars: anchors',
    ),
  };
  const spec = faceted
    ? { ...shared, ...panelsBy('panel', panels), spec: { ...size, layer } }
    : { ...shared, ...size, layer };
  return spec as TopLevelSpec;
}

/** Labels that would run into their left neighbour move up a row. `scale`: pixels for one unit of FLOPs. */
function anchorLabels(anchors: FigureData['anchors'], scale: number): { label: string; flops: number; row: number }[] {
  const ends: number[] = [];
  return anchors.map(({ label, flops }) => {
    const half = (label.length * labelCharacter) / 2;
    const left = flops * scale - half;
    const free = ends.findIndex((end) => end < left);
    const row = free === -1 ? ends.length : free;
    ends[row] = flops * scale + half + labelCharacter;
    return { label, flops, row };
  });
}

function starPath(): string {
  const corners = Array.from({ length: 10 }, (_, index) => {
    const radius = index % 2 === 0 ? 1 : 0.45;
    const angle = (Math.PI * index) / 5;
    return `${(radius * Math.sin(angle)).toFixed(3)},${(-radius * Math.cos(angle)).toFixed(3)}`;
  });
  return `M${corners.join('L')}Z`;
}
