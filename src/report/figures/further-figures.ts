/** The figures beside the curve of accuracy over FLOPs, as far as there is something to show. */
import type { TopLevelSpec } from 'vega-lite';
import { lengthFigure } from '../length/length-figure.js';
import type { TrainedLength } from '../length/lengths.js';
import type { DeployedBlocks } from '../views/deployed-blocks.js';
import type { GradientAngles } from '../views/gradient-angles.js';
import type { MeasuredCurve } from '../views/latency-view.js';
import type { TrainableAccuracy } from '../views/trainable-accuracy.js';
import type { TrainingProgress } from '../views/training-progress.js';
import { anglesFigure } from './angles-figure.js';
import { deployedFigure } from './deployed-figure.js';
import { latencyFigure } from './latency-figure.js';
import { trainableAccuracyFigure } from './trainable-accuracy-figure.js';
import { trainingFigure } from './training-figure.js';

export interface NamedFigure {
  /** Name of its files, without extension. */
  readonly name: string;
  readonly title: string;
  readonly spec: TopLevelSpec;
}

export interface FurtherFigures {
  /** Of methods that were trained for several lengths. */
  readonly lengths: readonly TrainedLength[];
  readonly progress: readonly TrainingProgress[];
  readonly trainable: readonly TrainableAccuracy[];
  readonly deployed: readonly DeployedBlocks[];
  /** One for each method that has them. */
  readonly angles: readonly GradientAngles[];
  /** Trials on machines that have measured them. */
  readonly measured: readonly MeasuredCurve[];
}

export function furtherFigures({
  lengths,
  progress,
  trainable,
  deployed,
  angles,
  measured,
}: FurtherFigures): NamedFigure[] {
  const figure = <Shown>(
    name: string,
    title: string,
    shown: readonly Shown[],
    specOf: (shown: readonly Shown[]) => TopLevelSpec,
  ): NamedFigure[] => (shown.length > 0 ? [{ name, title, spec: specOf(shown) }] : []);
  return [
    ...figure('figure-latency', 'Accuracy against time', measured, latencyFigure),
    ...figure('figure-time', 'Accuracy against training time', lengths, lengthFigure),
    ...figure('figure-training', 'Training loss and test accuracy by epoch', progress, trainingFigure),
    ...figure('figure-trainable', 'Accuracy against trainable parameters', trainable, trainableAccuracyFigure),
    ...figure('figure-deployed', 'Patterns of the deployed stitches', deployed, deployedFigure),
    ...angles.map((measured, index) => ({
      name: index === 0 ? 'figure-angles' : `figure-angles-${index + 1}`,
      title: 'Angles between gradients on shared weights',
      spec: anglesFigure(measured),
    })),
  ];
}
