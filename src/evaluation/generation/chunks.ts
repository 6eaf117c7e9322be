/** In how many tokens at a time a text is read. */
import { int32, type NdArray } from '../../shared/arrays.js';

/** Each size is a program of its own, and a text is filled up to one of them. */
const chunkSizes = [1, 16, 64, 256];

/**
 * Tokens of a text that are read at once: more read no faster, and attention needs memory for
 * [heads, tokens, all tokens].
 */
export const longestChunk = 256;

/** Ids of texts of one length, at most the longest chunk -> int32 [texts, size of a chunk], zeros behind the last. */
export function filledUp(texts: readonly (readonly number[])[]): NdArray {
  const size = chunkSizes.find((each) => each >= texts[0]!.length)!;
  const padded = texts.flatMap((ids) => Array.from({ length: size }, (_, index) => ids[index] ?? 0));
  return int32([texts.length, size], Int32Array.from(padded));
}
