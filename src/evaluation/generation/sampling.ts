/** Which token comes next, given logits: as `generate` of Hugging Face's transformers chooses (its logits processors). */
import type { Random } from '../../shared/random.js';

export interface SamplingOptions {
  /** Logits are divided by it; 0 takes the best token (greedy). */
  readonly temperature: number;
  /** Only so many best tokens can be drawn; 0: all. */
  readonly topK: number;
  /** Only the best tokens that together have this probability can be drawn; 1: all. In (0, 1]. */
  readonly topP: number;
}

export const greedy: SamplingOptions = { temperature: 0, topK: 0, topP: 1 };

/** @param logits [vocabulary]; @returns the id of the token */
export function chooseToken(
  logits: Float32Array,
  { temperature, topK, topP }: SamplingOptions,
  random: Random,
): number {
  if (temperature === 0) return indexOfLargest(logits);
  const ids = Array.from(logits, (_, id) => id).sort((a, b) => logits[b]! - logits[a]!);
  const best = topK > 0 ? ids.slice(0, topK) : ids;
  const largest = logits[best[0]!]!;
  const weights = best.map((id) => Math.exp((logits[id]! - largest) / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  // The token with which the sum passes topP is still among them.
  let sum = 0;
  const count = weights.findIndex((weight) => {
    sum += weight;
    return sum >= topP * total;
  });
  return best[random.weighted(count === -1 ? weights : weights.slice(0, count + 1))]!;
}

function indexOfLargest(logits: Float32Array): number {
  let best = 0;
  for (let id = 1; id < logits.length; id++) if (logits[id]! > logits[best]!) best = id;
  return best;
}
