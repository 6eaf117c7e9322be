/** Accuracy against trainable parameters (Figure E): a point for each method. */
import type { TopLevelSpec } from 'vega-lite';
import { distinct } from '../../shared/groups.js';
import { datasetLabel } from '../curves/labels.js';
import type { TrainableAccuracy } from '../views/trainable-accuracy.js';
import { figureFrame, figureTitle, type Layers, methodPoints, panelsBy } from './figure-style.js';

/** Methods that train this many times as many parameters as others are shown beside them on a logarithmic axis. */
const mostLinear = 20;

/** The mean over the data sets where there is one, else a panel for each data set. */
export function trainableAccuracyFigure(points: readonly TrainableAccuracy[]): TopLevelSpec {
  const means = points.filter(({ isMean }) => isMean);
  const shown = means.length > 0 ? means : points;
  const panels = distinct(shown.map(({ dataset }) => datasetLabel(dataset)));
  const methods = distinct(shown.map(({ method }) => method));
  const values = shown.map(({ dataset, method, trainable, accuracy: { mean, deviation = 0 } }) => ({
    panel: datasetLabel(dataset),
    method,
    trainable: trainable / 1e6,
    accuracy: mean,
    low: mean - deviation,
    high: mean + deviation,
  }));
  const counts = values.map(({ trainable }) => trainable);
  const isWide = Math.max(...counts) > mostLinear * Math.min(...counts);
  const x = {
    field: 'trainable',
    type: 'quantitative',
    title: 'Trainable parameters (M)',
    scale: isWide ? ({ type: 'log', nice: false, padding: 20 } as const) : { zero: true, nice: true },
  } as const;
  const { deviations, points: marks } = methodPoints(x, methods, 90);
  const layer: Layers = [deviations, marks];
  const size = panels.length > 1 ? { width: 260, height: 200 } : { width: 460, height: 300 };
  const title = panels.length > 1 ? '' : `: ${panels[0]}`;
  const shared = {
    ...figureFrame,
    data: { values },
    title: figureTitle(`Accuracy against trainable parameters${title}`, 'accuracy: mean over the deployed stitches'),
  };
  return panels.length > 1
    ? { ...shared, ...panelsBy('panel', panels), spec: { ...size, layer } }
    : { ...shared, ...size, layer };
}
