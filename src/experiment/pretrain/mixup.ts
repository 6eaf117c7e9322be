/** The shares of mixup (Zhang et al. 2018): Beta(alpha, alpha), folded to the larger share. */
import type { Random } from '../../shared/random.js';

/** Joehnk's method takes one pair in C(2 alpha, alpha): 70 at 4, more than a billion at 16. */
const greatestOfJoehnk = 4;

/** From 0.5 to 1; 1 without mixup. @param alpha 0: none */
export function mixupLambda(alpha: number, random: Random): number {
  if (alpha === 0) return 1;
  return alpha <= greatestOfJoehnk ? byJoehnk(alpha, random) : byGammas(alpha, random);
}

function byJoehnk(alpha: number, random: Random): number {
  for (;;) {
    const [u, v] = [random.uniform(), random.uniform()];
    const x = u ** (1 / alpha);
    const y = v ** (1 / alpha);
    if (x + y > 1) continue;
    if (x + y > 0) return Math.max(x, y) / (x + y);
    // Powers of a small alpha are too small for numbers: their ratio need not be.
    if (u > 0 && v > 0) return 1 / (1 + Math.exp(-Math.abs(Math.log(u / v)) / alpha));
  }
}

function byGammas(alpha: number, random: Random): number {
  const [x, y] = [gamma(alpha, random), gamma(alpha, random)];
  return Math.max(x, y) / (x + y);
}

/** Marsaglia and Tsang 2000, for a shape of 1 or more. */
function gamma(shape: number, random: Random): number {
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const normal = random.normal();
    const v = (1 + c * normal) ** 3;
    if (v <= 0) continue;
    // Of a uniform number that is not 0.
    if (Math.log(1 - random.uniform()) < normal ** 2 / 2 + d - d * v + d * Math.log(v)) return d * v;
  }
}
