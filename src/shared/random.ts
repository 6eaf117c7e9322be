/**
 * The only source of randomness: a seeded xoshiro128** generator (Blackman and Vigna, 2018) whose state can be saved
 * and restored, and which is split by purpose, so that e.g. more augmentation never changes the order of stitches.
 */
export interface RandomState {
  readonly words: readonly [number, number, number, number];
}

/** What weights are drawn from. */
export type NormalSource = Pick<Random, 'truncatedNormal'>;

export class Random {
  private constructor(private words: [number, number, number, number]) {}

  /** A generator for one purpose of one seed: `Random.of(0, 'augmentation', epoch, index)`. */
  static of(seed: number, ...purpose: readonly (string | number)[]): Random {
    // FNV-1a over the label, then splitmix32 to fill the state: nearby labels give unrelated streams.
    let hash = 0x811c9dc5;
    for (const character of [seed, ...purpose].join('/')) {
      hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193);
    }
    const next = () => {
      hash = (hash + 0x9e3779b9) | 0;
      let z = hash ^ (hash >>> 16);
      z = Math.imul(z, 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      return (z ^ (z >>> 15)) >>> 0;
    };
    return new Random([next(), next(), next(), next()]);
  }

  static restore(state: RandomState): Random {
    return new Random([...state.words]);
  }

  save(): RandomState {
    return { words: [...this.words] };
  }

  /** Uniform integer in [0, 2^32). */
  uint32(): number {
    const w = this.words;
    const result = Math.imul(rotateLeft(Math.imul(w[1], 5), 7), 9) >>> 0;
    const t = w[1] << 9;
    w[2] ^= w[0];
    w[3] ^= w[1];
    w[1] ^= w[2];
    w[0] ^= w[3];
    w[2] ^= t;
    w[3] = rotateLeft(w[3], 11);
    return result;
  }

  /** Uniform in [low, high), default [0, 1), 32 bits of resolution. */
  uniform(low = 0, high = 1): number {
    return low + (high - low) * (this.uint32() / 2 ** 32);
  }

  /** Uniform integer in [0, count). */
  integer(count: number): number {
    return Math.floor(this.uniform() * count);
  }

  /** Standard normal by Box-Muller. */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** One index drawn with probability proportional to its weight. Weights are >= 0 and not all 0. */
  weighted(weights: readonly number[]): number {
    let left = this.uniform() * weights.reduce((sum, weight) => sum + weight, 0);
    for (const [index, weight] of weights.entries()) {
      left -= weight;
      if (left < 0) return index;
    }
    return weights.findLastIndex((weight) => weight > 0);
  }

  /** A shuffled copy (Fisher-Yates). */
  shuffled<T>(items: readonly T[]): T[] {
    const copy = [...items];
    for (let last = copy.length - 1; last > 0; last--) {
      const other = this.integer(last + 1);
      [copy[last], copy[other]] = [copy[other]!, copy[last]!];
    }
    return copy;
  }

  /** `length` draws of normal(0, std) cut at two standard deviations, as timm's trunc_normal_ in practice. */
  truncatedNormal(length: number, std: number): Float32Array {
    return Float32Array.from({ length }, () => {
      let draw = this.normal();
      while (Math.abs(draw) > 2) draw = this.normal();
      return std * draw;
    });
  }
}

function rotateLeft(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}
