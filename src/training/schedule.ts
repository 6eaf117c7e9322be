/** Learning rates: linear warm-up, then half a cosine to zero (supplement A: warm-up of 10 epochs of 100), or a line. */

export interface Schedule {
  readonly steps: number;
  /** Steps of linear rise. */
  readonly warmupSteps: number;
  /** Learning rate at the end of the warm-up. */
  readonly peakLearningRate: number;
  /** After the warm-up; default a cosine. `linear` is `get_linear_schedule_with_warmup` of transformers. */
  readonly decay?: 'linear';
}

/**
 * The learning rate of one step; the first one already moves (peak / warm-up steps).
 * @param step from 0
 */
export function learningRateAt(step: number, { steps, warmupSteps, peakLearningRate, decay }: Schedule): number {
  if (step < warmupSteps) return (peakLearningRate * (step + 1)) / warmupSteps;
  const progress = (step - warmupSteps) / Math.max(1, steps - warmupSteps);
  if (decay === 'linear') return peakLearningRate * Math.max(0, 1 - progress);
  return 0.5 * peakLearningRate * (1 + Math.cos(Math.PI * Math.min(1, progress)));
}
