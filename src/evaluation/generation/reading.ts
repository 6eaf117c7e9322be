/** What reads tokens, and what is read: each engine has its own (token-reader.ts). */
import type { PartShape, PathWeights } from '../../models/llama/cached.js';
import type { LlamaConfig } from '../../models/llama/config.js';
import { RequestError } from '../../shared/errors.js';

export interface TokenReader {
  /** Tokens of a text that it can read at once. */
  readonly most: number;
  /** Texts that nothing was read of yet. */
  begin(texts: number, room: Room): ReadTexts;
  dispose(): void;
}

/** What texts may need. */
export interface Room {
  /** Tokens of each, at most what the network can see. */
  readonly tokens: number;
  /** Texts that it may become by `select`. */
  readonly texts: number;
}

/** Texts of one length, side by side, with what is kept of them. */
export interface ReadTexts {
  readonly length: number;
  /** Reads as many tokens of each text; @returns logits [texts, vocabulary] of the tokens after the last ones */
  read(texts: readonly (readonly number[])[]): Promise<Float32Array>;
  /** Some of them, in this order; what is kept may pass to these, so that one does not go on with both. */
  select(texts: readonly number[]): ReadTexts;
  /** Gives back what is kept. */
  end(): void;
}

/** By block of a path. */
export function blocksOf(shapes: readonly PartShape[], parts: PathWeights<unknown>['parts']): readonly LlamaConfig[] {
  return parts.flatMap((part, index) => part.blocks.map(() => shapes[index]!.config));
}

/** Tokens that all parts of a path can see. */
export function contextLengthOf(shapes: readonly PartShape[]): number {
  return Math.min(...shapes.map(({ config }) => config.contextLength));
}

/** @throws RequestError beyond what the network can see */
export function requireSeen(tokens: number, contextLength: number): void {
  if (tokens <= contextLength) return;
  throw new RequestError(
    `the text has ${tokens} tokens, more than the ${contextLength} that the network was trained to see`,
    'Give a shorter prompt, or ask for fewer tokens.',
  );
}
