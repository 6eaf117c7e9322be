/** Training loss and test accuracy by epoch (Figure C): two panels, a colour for each method. */
import type { TopLevelSpec } from 'vega-lite';
import { datasetLabel } from '../curves/labels.js';
import type { ProgressPoint, TrainingProgress } from '../views/training-progress.js';
import { colourBy, figureFrame, figureTitle } from './figure-style.js';

/** The mean over the data sets where there is one, as the paper shows it; else the last data set. */
export function trainingFigure(progress: readonly TrainingProgress[]): TopLevelSpec {
  const { dataset } = progress.at(-1)!;
  const shown = progress.filter((curve) => curve.dataset === dataset);
  const methods = shown.map(({ method }) => method);
  const rows = (points: readonly ProgressPoint[], method: string) =>
    points.map(({ epoch, value: { mean, deviation = 0 } }) => ({
      method,
      epoch,
      value: mean,
      low: mean - deviation,
      high: mean + deviation,
    }));
  const panel = (quantity: 'loss' | 'accuracy', title: string, point: boolean) => {
    const x = { field: 'epoch', type: 'quantitative', title: 'Epoch', scale: { zero: true, nice: false } };
    const y = { field: 'value', type: 'quantitative', title, scale: { zero: false, nice: true } };
    const color = colourBy('method', methods);
    return {
      data: { values: shown.flatMap((curve) => rows(curve[quantity], curve.method)) },
      width: 300,
      height: 220,
      layer: [
        {
          transform: [{ filter: 'datum.high > datum.low' }],
          mark: point ? { type: 'rule', opacity: 0.7 } : { type: 'area', opacity: 0.15, line: false },
          encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color },
        },
        { mark: { type: 'line', strokeWidth: 1.8, point }, encoding: { x, y, color } },
      ],
    };
  };
  const spec = {
    ...figureFrame,
    title: figureTitle(
      `Training loss and test accuracy by epoch: ${datasetLabel(dataset)}`,
      'of the stitched network; accuracy: mean over the stitches that would be deployed',
    ),
    hconcat: [panel('loss', 'Training cross-entropy', false), panel('accuracy', 'Top-1 accuracy (%)', true)],
  };
  return spec as TopLevelSpec;
}
