/** Learning rates: linear warm-up, then half a cosine to zero (supplement A: warm-up of 10 epochs of 100). */

export interface Schedule {
  readonly steps: number;
  /** Steps of linear rise. */
  readonly warmupSteps: number;
  /** Learning rate at the end of the warm-up. */
  readonly peakLearningRate: number;
}

/**
 * The learning rate of one step; the first one already moves (peak / warm-up steps).
 * @param step from 0
 */
export function learningRateAt(step: number, { steps, warmupSteps, peakLearningRate }: Schedule): number {
  if (step < warmupSteps) return (peakLearningRate * (step + 1)) / warmupSteps;
  const progress = (step - warmupSteps) / Math.max(1, steps - warmupSteps);
  return 0.5 * peakLearningRate * (1 + Math.cos(Math.PI * Math.min(1, progress)));
}
