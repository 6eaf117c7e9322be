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
  return [
    ...(measured.length > 0
      ? [{ name: 'figure-latency', title: 'Accuracy against time', spec: latencyFigure(measured) }]
      : []),
    ...(lengths.length > 0
      ? [{ name: 'figure-time', title: 'Accuracy against training time', spec: lengthFigure(lengths) }]
      : []),
    ...(progress.length > 0
      ? [{ name: 'figure-training', title: 'Training loss and test accuracy by epoch', spec: trainingFigure(progress) }]
      : []),
    ...(trainable.length > 0
      ? [
          {
            name: 'figure-trainable',
            title: 'Accuracy against trainable parameters',
            spec: trainableAccuracyFigure(trainable),
          },
        ]
      : []),
    ...(deployed.length > 0
      ? [{ name: 'figure-deployed', title: 'Patterns of the deployed stitches', spec: deployedFigure(deployed) }]
      : []),
    ...angles.map((measured, index) => ({
      name: index === 0 ? 'figure-angles' : `figure-angles-${index + 1}`,
      title: 'Angles between gradients on shared weights',
      spec: anglesFigure(measured),
    })),
  ];
}
