/**
 * Learns a vocabulary of byte-pair encoding from text (Sennrich et al. 2016), with the special pieces, byte fallback and
 * spaces of LLaMA's: 0 `<unk>`, 1 `<s>`, 2 `</s>`, 3 to 258 bytes, then merged pieces, then single characters.
 */
import { RequestError } from '../../../shared/errors.js';
import { type Piece, type Pieces, space } from '../pieces.js';

/** A word of the text as the pieces that it is made of now. */
interface Word {
  readonly count: number;
  symbols: string[];
}

/**
 * @param size pieces of the vocabulary, all of those above included
 * @throws RequestError for a size that has no room for the bytes and characters of the text
 */
export function learnBytePairs(text: string, size: number): Pieces {
  const words = countWords(text);
  const characters = [...new Set(words.flatMap(({ symbols }) => symbols))].sort();
  const room = size - specials.length - characters.length;
  if (room < 0) {
    throw new RequestError(
      `data.vocabulary: expected at least ${size - room}, for 259 special pieces and ${characters.length} characters of the text, received ${size}`,
      'Raise it, or take rare characters out of the text.',
    );
  }
  const merged: string[] = [];
  const pairs = countPairs(words);
  while (merged.length < room) {
    const best = mostFrequent(pairs);
    if (best === undefined) break;
    const [left, right] = best.split(' ') as [string, string];
    // A piece that two pairs can make is one piece.
    if (!merged.includes(left + right)) merged.push(left + right);
    for (const index of [...pairs.get(best)!.words]) mergeIn(words[index]!, index, left, right, pairs);
    pairs.delete(best);
  }
  const normal = [...merged, ...characters].map(
    (piece, index): Piece => ({ text: piece, score: -index, kind: 'normal' }),
  );
  return { pieces: [...specials, ...normal], addsPrefix: true };
}

const special = (text: string, kind: Piece['kind']): Piece => ({ text, score: 0, kind });

const specials: readonly Piece[] = [
  special('<unk>', 'unknown'),
  special('<s>', 'control'),
  special('</s>', 'control'),
  ...Array.from({ length: 256 }, (_, byte) =>
    special(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`, 'byte'),
  ),
];

/** Words with the space before them; ends of lines are bytes. */
function countWords(text: string): Word[] {
  const counts = new Map<string, number>();
  for (const [word] of ` ${text}`.matchAll(/ ?[^\s]+/g)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return Array.from(counts, ([word, count]) => ({ count, symbols: [...word.replace(' ', space)] }));
}

interface Pair {
  count: number;
  /** Words that have or had it. */
  readonly words: Set<number>;
}

type Pairs = Map<string, Pair>;

function countPairs(words: readonly Word[]): Pairs {
  const pairs: Pairs = new Map();
  for (const [index, word] of words.entries()) addPairs(pairs, word, index, 1);
  return pairs;
}

/** @param sign -1 takes them away */
function addPairs(pairs: Pairs, { symbols, count }: Word, index: number, sign: 1 | -1): void {
  for (let at = 0; at + 1 < symbols.length; at++) {
    const name = `${symbols[at]} ${symbols[at + 1]}`;
    const pair = pairs.get(name) ?? { count: 0, words: new Set<number>() };
    pair.count += sign * count;
    if (sign > 0) pair.words.add(index);
    pairs.set(name, pair);
  }
}

/** Of equally frequent ones the first in the order of their characters; undefined where no pair is left. */
function mostFrequent(pairs: Pairs): string | undefined {
  let [best, count] = ['', 0];
  for (const [name, pair] of pairs) {
    if (pair.count > count || (pair.count === count && count > 0 && name < best)) [best, count] = [name, pair.count];
  }
  return count > 0 ? best : undefined;
}

function mergeIn(word: Word, index: number, left: string, right: string, pairs: Pairs): void {
  const joined: string[] = [];
  for (let at = 0; at < word.symbols.length; at++) {
    const isPair = word.symbols[at] === left && word.symbols[at + 1] === right;
    joined.push(isPair ? left + right : word.symbols[at]!);
    if (isPair) at++;
  }
  if (joined.length === word.symbols.length) return;
  addPairs(pairs, word, index, -1);
  word.symbols = joined;
  addPairs(pairs, word, index, 1);
}
