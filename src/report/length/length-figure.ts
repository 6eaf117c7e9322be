/** Accuracy against training time: a line for each method, a point for each length that it was trained for. */
import type { TopLevelSpec } from 'vega-lite';
import { distinct } from '../../shared/groups.js';
import { datasetLabel } from '../curves/labels.js';
import { colourBy, figureFrame, figureTitle, meanAccuracyAxis, methodPoints } from '../figures/figure-style.js';
import type { TrainedLength } from './lengths.js';

/** The mean over the data sets where there is one, else the last data set. */
export function lengthFigure(lengths: readonly TrainedLength[]): TopLevelSpec {
  const { dataset } = lengths.at(-1)!;
  const shown = lengths.filter((length) => length.dataset === dataset);
  const methods = distinct(shown.map(({ method }) => method));
  const values = shown.map(({ method, seconds, mean: { mean, deviation = 0 } }) => ({
    ...{ method, seconds: seconds.mean, accuracy: mean },
    ...{ low: mean - deviation, high: mean + deviation },
  }));
  const x = {
    field: 'seconds',
    type: 'quantitative',
    title: 'Training time (s)',
    scale: { type: 'log', nice: false, padding: 20 },
  } as const;
  const { deviations, points } = methodPoints(x, methods, 70);
  const line = { x, y: meanAccuracyAxis, color: colourBy('method', methods) };
  return {
    ...figureFrame,
    data: { values },
    title: figureTitle(
      `Accuracy against training time: ${datasetLabel(dataset)}`,
      'accuracy: mean over budgets of FLOPs; time: of all trainings of the method, without its grid of learning rates',
    ),
    width: 740,
    height: 320,
    layer: [deviations, { mark: { type: 'line', strokeWidth: 1.8 }, encoding: line }, points],
  };
}
