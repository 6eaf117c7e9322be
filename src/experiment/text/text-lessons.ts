/** What of a text is learned: nothing where the cutoff takes all of its answer, and answers alone are learned. */
import type { TokenisedText } from '../../data/text/tokenised-text.js';
import { RequestError } from '../../shared/errors.js';

/** The first token is predicted by none. */
export function hasLesson({ labels }: TokenisedText): boolean {
  return labels.some((label, index) => index > 0 && label >= 0);
}

/** Texts by what they are for; a split may have none. */
export type TokenisedSplits = Readonly<Record<'training' | 'validation' | 'test', readonly TokenisedText[]>>;

/**
 * One sentence about the texts of which nothing is left to learn; undefined where there are none.
 * @throws RequestError where no text of a split has anything left
 */
export function lessonNote(splits: TokenisedSplits, cutoff: number): string | undefined {
  const counted = Object.entries(splits).map(([split, texts]) => ({
    ...{ split, count: texts.length, without: texts.filter((text) => !hasLesson(text)).length },
  }));
  const lost = counted.filter(({ count, without }) => count > 0 && without === count);
  if (lost.length > 0) throw noLessons(lost, cutoff);
  const affected = counted.filter(({ without }) => without > 0);
  if (affected.length === 0) return undefined;
  const shares = affected.map(({ split, count, without }) => `${without} of ${count} ${split} texts`);
  return `text.cutoff: ${cutoff} tokens cut off the answers of ${listed(shares)}, of which nothing is learned or measured; raise it to use them`;
}

/** @param lost the splits of which no text has anything left, with their texts */
export function noLessons(lost: readonly { readonly split: string; readonly count: number }[], cutoff: number) {
  const shares = lost.map(({ split, count }) => `${count} of ${count} ${split} texts`);
  return new RequestError(
    `text.cutoff: ${cutoff} tokens cut off the answers of ${listed(shares)}, so that nothing is left to learn or to measure`,
    'Raise it, or set text.train_on_inputs: true.',
  );
}

function listed(shares: readonly string[]): string {
  return shares.length < 2 ? shares.join('') : `${shares.slice(0, -1).join(', ')} and ${shares.at(-1)}`;
}
