/** A language model on an engine, as generation needs it: logits of the next token, for a text that grows. */
import type { Engine, Value } from '../../engine/engine.js';
import { frozenOnDevice, toDevice, toHost } from '../../engine/transfer.js';
import {
  type CachedInputs,
  type CachedOutputs,
  type PartShape,
  type PathWeights,
  runCached,
  wholePath,
} from '../../models/llama/cached.js';
import type { LlamaConfig } from '../../models/llama/config.js';
import type { LlamaWeights } from '../../models/llama/llama.js';
import { int32, type NdArray } from '../../shared/arrays.js';
import { KeyValueCache } from './key-value-cache.js';

/** Tokens that are computed at once; each size is a program of its own, and a prompt is filled up to one of them. */
const chunkSizes = [1, 16, 64, 256];

/** A text that a model has read, or several of one length; reading more costs the new tokens only. */
export interface Reading {
  /** Tokens read so far. */
  readonly length: number;
  /** Reads on; @returns logits [vocabulary] of the token after the last one */
  read(ids: readonly number[]): Promise<Float32Array>;
  /** Reads on, as many tokens of each text; @returns logits [texts, vocabulary] */
  readAll(texts: readonly (readonly number[])[]): Promise<Float32Array>;
  /** What was read, to go on from in another way. */
  copy(): Reading;
}

export interface LanguageModel {
  /** Tokens that it can see at once. */
  readonly contextLength: number;
  /** Starts a new text. @param texts side by side, all of one length; default 1 */
  begin(texts?: number): Reading;
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
  const values: PathWeights<Value> = frozenOnDevice(engine, weights);
  const step = engine.compile(`generate ${JSON.stringify(shapes)}`, (inputs: Parameters<typeof runCached>[0]) =>
    runCached(inputs, shapes),
  );
  const blocks = weights.parts.flatMap((part, index) => part.blocks.map(() => shapes[index]!.config));
  const contextLength = Math.min(...shapes.map(({ config }) => config.contextLength));

  const readChunk = async (cache: KeyValueCache, texts: readonly (readonly number[])[]): Promise<Float32Array> => {
    const { length } = texts[0]!;
    const size = chunkSizes.find((each) => each >= length)!;
    const padded = texts.flatMap((ids) => Array.from({ length: size }, (_, index) => ids[index] ?? 0));
    const given: Omit<CachedInputs<Value>, 'weights'> = {
      ids: engine.put(int32([texts.length, size], Int32Array.from(padded))),
      filled: engine.put(int32([1], Int32Array.of(cache.filled))),
      last: engine.put(int32([1], Int32Array.of(length - 1))),
      kept: toDevice(engine, cache.kept),
    };
    const results: CachedOutputs<Value> = await step({ ...given, weights: values });
    const logits = await engine.get(results.logits);
    cache.write(await toHost(engine, results.fresh), length);
    engine.free([given, results]);
    return logits.data as Float32Array;
  };

  const readingOf = (cache: KeyValueCache): Reading => {
    const readAll: Reading['readAll'] = async (texts) => {
      const { length } = texts[0]!;
      if (length === 0) throw new Error('nothing to read');
      const largest = chunkSizes.at(-1)!;
      let logits: Float32Array | undefined;
      for (let begin = 0; begin < length; begin += largest) {
        logits = await readChunk(
          cache,
          texts.map((ids) => ids.slice(begin, begin + largest)),
        );
      }
      return logits!;
    };
    return {
      get length() {
        return cache.filled;
      },
      read: (ids) => readAll([ids]),
      readAll,
      copy: () => readingOf(cache.copy()),
    };
  };

  return {
    contextLength,
    begin: (texts) => readingOf(new KeyValueCache(blocks, contextLength, texts)),
    dispose: () => engine.free(values),
  };
}
