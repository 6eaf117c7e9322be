/** Histograms of the angles between gradients (Figure F): a panel for each data set, 90 degrees highlighted. */
import type { TopLevelSpec } from 'vega-lite';
import { datasetLabel, methodLabel } from '../curves/labels.js';
import { type GradientAngles, rightAngle } from '../views/gradient-angles.js';
import { colours, figureFrame, figureTitle, type Layers, panelsBy } from './figure-style.js';

/** Width of a bar, degrees. */
const binWidth = 5;

/** Bars are shares of the angles of their data set, so that panels compare. */
export function anglesFigure({ method, anchors, stitches, datasets }: GradientAngles): TopLevelSpec {
  const bins = Array.from({ length: 180 / binWidth }, (_, index) => index * binWidth);
  const values = datasets.flatMap(({ name, domain, angles }) =>
    bins.map((from) => {
      const inside = angles.filter((angle) => binOf(angle) === from);
      const share = (100 * inside.length) / angles.length;
      return { panel: `${datasetLabel(name)} (${domain})`, from, to: from + binWidth, share, domain };
    }),
  );
  const panels = datasets.map(({ name, domain }) => `${datasetLabel(name)} (${domain})`);
  const occupied = values.filter(({ share }) => share > 0);
  const from = Math.min(...occupied.map((bin) => bin.from));
  const to = Math.max(rightAngle + binWidth, ...occupied.map((bin) => bin.to));
  const range = [from, to];
  const x = { type: 'quantitative', title: 'Angle (degrees)', scale: { domain: range, nice: false } } as const;
  const domains = ['source', 'downstream'];
  const layer: Layers = [
    {
      mark: { type: 'rect', stroke: '#FFFFFF', strokeWidth: 0.5, clip: true },
      encoding: {
        x: { ...x, field: 'from' },
        x2: { field: 'to' },
        y: { field: 'share', type: 'quantitative', title: 'Pairs (%)', axis: { tickCount: 5 } },
        y2: { datum: 0 },
        color: {
          field: 'domain',
          type: 'nominal',
          legend: null,
          scale: { domain: domains, range: [colours[5], colours[0]] },
        },
      },
    },
    { mark: { type: 'rule', color: '#CC3311', strokeDash: [5, 4] }, encoding: { x: { datum: rightAngle } } },
  ];
  return {
    ...figureFrame,
    data: { values },
    title: figureTitle(
      'Angles between gradients on shared weights',
      `${methodLabel(method)}, pairs of ${stitches} stitches ${anchors.join(' → ')}, all shared weights together`,
    ),
    ...panelsBy('panel', panels, 2),
    spec: { width: 260, height: 170, layer },
  };
}

/** Lower edge of the bar that an angle belongs to; 180 degrees belong to the last one. */
function binOf(angle: number): number {
  return Math.min(180 - binWidth, Math.floor(angle / binWidth) * binWidth);
}
