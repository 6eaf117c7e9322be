/** Learning rates: linear warm-up, then half a cosine to zero (supplement A: warm-up of 10 epochs of 100). */

/**
 * The rate of one step.
 * @param step from 0
 * @param warmupSteps steps of linear rise; the first step already moves (rate / warmupSteps)
 */
export function learningRateAt(step: number, peak: number, warmupSteps: number, steps: number): number {
  if (step < warmupSteps) return (peak * (step + 1)) / warmupSteps;
  const progress = (step - warmupSteps) / Math.max(1, steps - warmupSteps);
  return 0.5 * peak * (1 + Math.cos(Math.PI * Math.min(1, progress)));
}
