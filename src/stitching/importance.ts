/**
 * Importance scores of stitches: an exponential moving average, q <- eta q + (1 - eta) Q, of the saliency Q measured
 * whenever the stitch is trained (ESTA, task-specific stitch sampling; supplement E compares eta 0.8, 0.9 and 0.99).
 *
 * The first measurement is taken whole, q <- Q. Starting from 0 instead would rank stitches by how often they were drawn:
 * after n draws q is only 1 - eta^n of its mean, and in a short run n is small and differs from stitch to stitch.
 */
import { Diverged, RequestError } from '../shared/errors.js';

/** Plain JSON; saved with the training state. */
export interface ImportanceScores {
  /** Momentum, [0, 1). */
  readonly eta: number;
  /** By stitch id; null until the stitch was trained. */
  readonly scores: readonly (number | null)[];
}

/** @param eta momentum, default 0.9 */
export function initialImportance(stitches: number, eta = 0.9): ImportanceScores {
  if (!(eta >= 0 && eta < 1)) {
    throw new RequestError(`sampling.eta: expected a number from 0 to below 1, received ${eta}`, 'The paper uses 0.9.');
  }
  return { eta, scores: new Array<null>(stitches).fill(null) };
}

/**
 * The scores after one training step of stitch `id` with saliency `saliency`.
 *
 * @throws Diverged when the saliency is not finite: training has diverged
 */
export function updateImportance(importance: ImportanceScores, id: number, saliency: number): ImportanceScores {
  const { eta, scores } = importance;
  if (!Number.isFinite(saliency)) {
    throw new Diverged(
      `the saliency of stitch ${id} is ${saliency}: its gradients are no longer finite`,
      'Lower training.base_learning_rates.',
    );
  }
  const old = scores[id];
  if (old === undefined) throw new RangeError(`stitch ${id} is not one of the ${scores.length} of the space`);
  return { eta, scores: scores.with(id, old === null ? saliency : eta * old + (1 - eta) * saliency) };
}
