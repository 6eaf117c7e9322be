/** What all figures have in common: colours, shapes, fonts, the look of axes. */
import type { TopLevelSpec } from 'vega-lite';

/** Paul Tol's bright scheme, its yellow last and darker: told apart by colour-blind readers and in grey print. */
export const colours = ['#4477AA', '#EE6677', '#228833', '#AA3377', '#66CCEE', '#777777', '#DDAA33'] as const;

/** In the order of the colours, whose seventh takes the first shape again; stars are kept for anchors. */
export const shapes = ['circle', 'square', 'diamond', 'triangle-up', 'triangle-down', 'cross'] as const;

/** First of the families that the machine has; sharp is given the first one (see figure-fonts.ts). */
const figureFont = 'DejaVu Sans, Verdana, Helvetica, Arial, sans-serif';

/** Schema, background, padding and configuration of a specification. */
export const figureFrame = {
  $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
  background: '#FFFFFF',
  padding: 12,
  config: {
    font: figureFont,
    view: { stroke: null },
    axis: {
      labelFontSize: 11,
      titleFontSize: 12,
      gridColor: '#E6E6E6',
      domainColor: '#666666',
      tickColor: '#666666',
    },
    legend: { labelFontSize: 12, labelLimit: 0 },
    header: { labelFontSize: 13, labelFontWeight: 'bold', labelPadding: 6 },
  },
} as const;

export function figureTitle(text: string, subtitle: string) {
  return {
    text,
    subtitle,
    anchor: 'start',
    fontSize: 15,
    subtitleFontSize: 11,
    subtitleColor: '#555555',
    subtitlePadding: 5,
    offset: 14,
  } as const;
}

/** Marks that a figure draws above one another. */
export type Layers = Extract<TopLevelSpec, { readonly layer: unknown }>['layer'];

/** Colour by a nominal field, with a legend below the figure where there is more than one value. */
export function colourBy(field: string, domain: readonly string[]) {
  const legend = domain.length > 1 ? { title: null, orient: 'bottom', columns: 4, symbolOpacity: 1 } : null;
  const range = domain.map((_, index) => colours[index % colours.length]!);
  return { field, type: 'nominal', scale: { domain: [...domain], range }, legend } as const;
}

/** Of figures of mean accuracies: does not begin at 0. */
export const meanAccuracyAxis = {
  field: 'accuracy',
  type: 'quantitative',
  title: 'Mean top-1 accuracy (%)',
  scale: { zero: false, nice: true, padding: 8 },
} as const;

/** For each method points in a colour and a shape of its own, above rules from `low` to `high`, where these differ. */
export function methodPoints<X extends object>(x: X, methods: readonly string[], size: number) {
  const [y, color] = [meanAccuracyAxis, colourBy('method', methods)];
  const range = methods.map((_, index) => shapes[index % shapes.length]!);
  const deviations = {
    transform: [{ filter: 'datum.high > datum.low' }],
    mark: { type: 'rule' as const, opacity: 0.7 },
    encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color },
  };
  const points = {
    mark: { type: 'point', filled: true, size, opacity: 1 },
    encoding: { x, y, color, shape: { ...color, scale: { domain: [...methods], range } } },
  } as const;
  return { deviations, points };
}

/** Panels of a figure that has several, each with axes of its own; at most `columns` beside one another. */
export function panelsBy(
  field: string,
  names: readonly string[],
  columns = 3,
): Pick<Extract<TopLevelSpec, { readonly facet: unknown }>, 'facet' | 'columns' | 'resolve'> {
  return {
    facet: { field, type: 'nominal', title: null, sort: [...names] },
    columns: Math.min(columns, names.length),
    resolve: { scale: { y: 'independent' }, axis: { x: 'independent' } },
  };
}
