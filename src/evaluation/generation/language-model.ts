/** A language model on an engine, as generation needs it: logits of the next token, for a text that grows. */
import type { Engine } from '../../engine/engine.js';
import { type PartShape, type PathWeights, wholePath } from '../../models/llama/cached.js';
import type { LlamaConfig } from '../../models/llama/config.js';
import type { LlamaWeights } from '../../models/llama/llama.js';
import type { NdArray } from '../../shared/arrays.js';
import { contextLengthOf, type ReadTexts, type TokenReader } from './reading.js';
import { tokenReader } from './token-reader.js';

/** A text that a model has read, or several of one length; reading more costs the new tokens only. */
export interface Reading {
  /** Tokens read so far. */
  readonly length: number;
  /** Reads on; @returns logits [vocabulary] of the token after the last one */
  read(ids: readonly number[]): Promise<Float32Array>;
  /** Reads on, as many tokens of each text; @returns logits [texts, vocabulary] */
  readAll(texts: readonly (readonly number[])[]): Promise<Float32Array>;
  /** Some of the texts, in this order; one may be taken several times. It goes on in place of this reading. */
  select(texts: readonly number[]): Reading;
  /** Gives back the memory that the engine keeps for it. */
  end(): void;
}

/** What a reading is known to need; on some engines memory is taken for it. */
export interface ReadingRoom {
  /** Tokens of each text at most; default all that the network can see. */
  readonly tokens?: number;
  /** Texts that are selected at most; default as many as it begins with. */
  readonly most?: number;
}

export interface LanguageModel {
  /** Tokens that it can see at once. */
  readonly contextLength: number;
  /** Starts a new text. @param texts side by side, all of one length; default 1 */
  begin(texts?: number, room?: ReadingRoom): Reading;
  dispose(): void;
}

/** A whole network. */
export function languageModel(engine: Engine, config: LlamaConfig, weights: LlamaWeights<NdArray>): LanguageModel {
  return pathModel(engine, [{ config, scale: 1 }], wholePath(weights));
}

/**
 * The path of a stitch.
 * @param shapes of its parts
 */
export function pathModel(engine: Engine, shapes: readonly PartShape[], weights: PathWeights<NdArray>): LanguageModel {
  return readerModel(tokenReader(engine, shapes, weights), shapes);
}

export function readerModel(reader: TokenReader, shapes: readonly PartShape[]): LanguageModel {
  const contextLength = contextLengthOf(shapes);
  const readingOf = (read: ReadTexts): Reading => {
    const readAll: Reading['readAll'] = async (texts) => {
      const { length } = texts[0]!;
      if (length === 0) throw new Error('nothing to read');
      let logits: Float32Array | undefined;
      for (let begin = 0; begin < length; begin += reader.most) {
        logits = await read.read(texts.map((ids) => ids.slice(begin, begin + reader.most)));
      }
      return logits!;
    };
    return {
      get length() {
        return read.length;
      },
      read: (ids) => readAll([ids]),
      readAll,
      select: (texts) => readingOf(read.select(texts)),
      end: () => read.end(),
    };
  };
  return {
    contextLength,
    begin: (texts = 1, { tokens = contextLength, most = texts } = {}) =>
      readingOf(reader.begin(texts, { tokens, texts: most })),
    dispose: () => reader.dispose(),
  };
}
