/** Validation and test texts, drawn from all. */
import { RequestError } from '../../shared/errors.js';
import { Random } from '../../shared/random.js';

export interface InstructionSplits<T> {
  readonly train: readonly T[];
  readonly validation: readonly T[];
  readonly test: readonly T[];
}

/**
 * As alpaca-lora: 2,000 texts for validation by seed 42. Its own draw is that of numpy, which is not repeated here.
 * All parts keep the order of `all`; test texts do not change which ones are for validation.
 * @throws RequestError when nothing is left to train on
 */
export function splitInstructions<T>(all: readonly T[], count = 2000, seed = 42, testCount = 0): InstructionSplits<T> {
  if (count + testCount >= all.length) {
    const tested = testCount > 0 ? ` and ${testCount} for the test` : '';
    throw new RequestError(
      `${count} of ${all.length} instructions are for validation${tested}: none remain to train on`,
      'Ask for fewer, such as a tenth.',
    );
  }
  const order = Random.of(seed, 'instruction split').shuffled([...all.keys()]);
  const [validation, test] = [order.slice(0, count), order.slice(count, count + testCount)].map(
    (drawn) => new Set(drawn),
  ) as [Set<number>, Set<number>];
  return {
    train: all.filter((_, index) => !validation.has(index) && !test.has(index)),
    validation: all.filter((_, index) => validation.has(index)),
    test: all.filter((_, index) => test.has(index)),
  };
}
