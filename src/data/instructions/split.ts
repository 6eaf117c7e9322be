/** Validation texts, drawn from all. */
import { RequestError } from '../../shared/errors.js';
import { Random } from '../../shared/random.js';

export interface InstructionSplits<T> {
  readonly train: readonly T[];
  readonly validation: readonly T[];
}

/**
 * As alpaca-lora: 2,000 texts for validation by seed 42. Its own draw is that of numpy, which is not repeated here.
 * Both parts keep the order of `all`.
 * @throws RequestError when nothing is left to train on
 */
export function splitInstructions<T>(all: readonly T[], count = 2000, seed = 42): InstructionSplits<T> {
  if (count >= all.length) {
    throw new RequestError(
      `${count} of ${all.length} instructions are for validation: none remain to train on`,
      'Ask for fewer, such as a tenth.',
    );
  }
  const drawn = new Set(
    Random.of(seed, 'instruction split')
      .shuffled([...all.keys()])
      .slice(0, count),
  );
  return {
    train: all.filter((_, index) => !drawn.has(index)),
    validation: all.filter((_, index) => drawn.has(index)),
  };
}
