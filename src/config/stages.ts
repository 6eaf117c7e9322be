/** The trainings that a trial consists of. */
import type { Experiment, Method } from './schema/experiment.js';

/** The stage that trains the stitched network; the others train an anchor alone. */
export const stitchedStage = 'stitched';

export interface StagePlan {
  /** In file names and metrics: `stitched`, or `anchor-NAME`. */
  readonly name: string;
  /** Index of the anchor that is trained alone; left out: the stitched network. */
  readonly anchor?: number;
  /** Epochs of the final run. */
  readonly epochs: number;
  /** Epochs of each run of the learning-rate grid; 0 where there is no search. */
  readonly gridEpochs: number;
  /** Epochs of the final run after which the stage is tested, beside its end. */
  readonly testedEpochs: readonly number[];
  /** Epochs of the final run after which gradients are compared; left out: they are not. */
  readonly anglesEpoch?: number;
}

/** In the order in which they are run: anchors alone first, where the method adapts them. */
export function stagesOf(method: Method, { anchors, training, evaluation }: Experiment): StagePlan[] {
  const searches = training.base_learning_rates.length > 1;
  const stage = (epochs: number) => ({
    epochs,
    gridEpochs: searches ? Math.min(training.grid_epochs, epochs) : 0,
    testedEpochs: [],
  });
  const alone = anchors.map(({ name }, anchor) => ({
    name: `anchor-${name}`,
    anchor,
    ...stage(training.anchor_epochs),
  }));
  const { gradient_angles: angles } = evaluation;
  const tested = new Set(evaluation.test_at.map((share) => Math.round(share * training.epochs)));
  const stitched = {
    name: stitchedStage,
    ...stage(training.epochs),
    testedEpochs: [...tested].filter((epoch) => epoch > 0 && epoch < training.epochs),
    ...(angles && { anglesEpoch: Math.round(angles.at * training.epochs) }),
  };
  if (method === 'anchor-lora') return alone;
  return method === 'adapt-then-stitch' ? [...alone, stitched] : [stitched];
}

/** Epochs over all trainings of a trial: the runs of the grid, and the final runs. */
export function epochsOf(method: Method, experiment: Experiment): { readonly grid: number; readonly final: number } {
  const stages = stagesOf(method, experiment);
  const rates = experiment.training.base_learning_rates.length;
  return {
    grid: stages.reduce((sum, { gridEpochs }) => sum + rates * gridEpochs, 0),
    final: stages.reduce((sum, { epochs }) => sum + epochs, 0),
  };
}
