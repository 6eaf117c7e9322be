/** Programs that read tokens: traced ones, on every engine, the graph for weights of 8 bits on the CPU, and those of a card. */
import type { Engine, Value } from '../../engine/engine.js';
import type { GraphSession } from '../../engine/onnx/programs/backend.js';
import { frozenOnDevice, toDevice, toHost } from '../../engine/transfer.js';
import {
  type CachedInputs,
  type CachedOutputs,
  type Kept,
  type PartShape,
  type PathWeights,
  runCached,
} from '../../models/llama/cached.js';
import { canGenerate, generationGraph } from '../../models/llama/generation-graph.js';
import { type Float32NdArray, float32, int32, isArray, type NdArray } from '../../shared/arrays.js';
import { leavesOf } from '../../shared/tree.js';
import { filledUp, longestChunk } from './chunks.js';
import { inPlaceReader } from './in-place-reader.js';
import { KeyValueCache } from './key-value-cache.js';
import { blocksOf, contextLengthOf, type ReadTexts, type TokenReader } from './reading.js';

/** The fastest that there is for an engine and weights. */
export function tokenReader(engine: Engine, shapes: readonly PartShape[], weights: PathWeights<NdArray>): TokenReader {
  if (engine.reserve) return inPlaceReader(engine, shapes, weights);
  const isQuantised = leavesOf(weights, isArray).some(({ leaf }) => leaf.dtype === 'uint8');
  return isQuantised && engine.openGraph && canGenerate(shapes)
    ? graphReader(engine, shapes, weights)
    : tracedReader(engine, shapes, weights);
}

type ReadOnHost = (cache: KeyValueCache, texts: readonly (readonly number[])[]) => Promise<Float32Array>;

/** Keys and values are on the host, and the collector gives them back. */
function onHost(shapes: readonly PartShape[], { parts }: PathWeights<NdArray>, read: ReadOnHost): TokenReader['begin'] {
  const blocks = blocksOf(shapes, parts);
  const contextLength = contextLengthOf(shapes);
  const textsOf = (cache: KeyValueCache): ReadTexts => ({
    get length() {
      return cache.filled;
    },
    read: (texts) => read(cache, texts),
    select: (texts) => textsOf(cache.select(texts)),
    end: () => {},
  });
  return (texts) => textsOf(new KeyValueCache(blocks, contextLength, texts));
}

export function tracedReader(engine: Engine, shapes: readonly PartShape[], weights: PathWeights<NdArray>): TokenReader {
  const values: PathWeights<Value> = frozenOnDevice(engine, weights);
  const step = engine.compile(`generate ${JSON.stringify(shapes)}`, (inputs: Parameters<typeof runCached>[0]) =>
    runCached(inputs, shapes),
  );
  return {
    most: longestChunk,
    begin: onHost(shapes, weights, async (cache, texts) => {
      const { length } = texts[0]!;
      const given: Omit<CachedInputs<Value>, 'weights'> = {
        ids: engine.put(filledUp(texts)),
        filled: engine.put(int32([1], Int32Array.of(cache.filled))),
        last: engine.put(int32([1], Int32Array.of(length - 1))),
        kept: toDevice(engine, cache.kept),
      };
      const results: CachedOutputs<Value> = await step({ ...given, weights: values });
      const logits = await engine.get(results.logits);
      cache.write(await toHost(engine, results.fresh), length);
      engine.free([given, results]);
      return logits.data as Float32Array;
    }),
    dispose: () => engine.free(values),
  };
}

/** The graph is opened when the first text is read, and keeps nothing of the arrays of the weights. */
export function graphReader(engine: Engine, shapes: readonly PartShape[], weights: PathWeights<NdArray>): TokenReader {
  const embedding = weights.embedding.tokens as Float32NdArray;
  const { vocabulary } = shapes.at(-1)!.config;
  let graph: Promise<GraphSession> | undefined;
  let closed = false;
  const open = () => {
    if (closed) throw new Error('the model was disposed of');
    graph ??= engine.openGraph!(generationGraph(weights, shapes));
    return graph;
  };
  const step = async (texts: readonly (readonly number[])[], kept: readonly Kept<Float32NdArray>[], first: number) => {
    const tokens = texts[0]!.length;
    const last = first + tokens - 1;
    const arrays = kept.flatMap(({ keys, values }, block) => [
      [`keys.${block}`, keys] as const,
      [`values.${block}`, values] as const,
    ]);
    const session = await open();
    const logits = float32([texts.length, vocabulary]);
    await session.run(
      {
        features: rowsOf(embedding, texts),
        first: int32([1], Int32Array.of(first)),
        last: int32([texts.length], new Int32Array(texts.length).fill(last)),
        seen: int32([1], Int32Array.of(last + 1)),
        ...Object.fromEntries(arrays),
      },
      { logits, ...Object.fromEntries(arrays.map(([name, array]) => [`${name}.all`, array])) },
    );
    return logits.data;
  };
  return {
    most: longestChunk,
    begin: onHost(shapes, weights, async (cache, texts) => {
      const { length } = texts[0]!;
      cache.makeRoom(length);
      const { filled } = cache;
      // Several tokens of several texts are no input of the graph, and many rows anyway.
      const runs =
        length === 1
          ? [{ ids: texts, kept: cache.kept }]
          : texts.map((ids, text) => ({ ids: [ids], kept: cache.keptOf(text) }));
      const logits: Float32Array[] = [];
      for (const { ids, kept } of runs) logits.push(await step(ids, kept, filled));
      cache.advance(length);
      return joined(logits);
    }),
    dispose() {
      closed = true;
      void graph?.then((session) => session.close());
    },
  };
}

function joined(rows: readonly Float32Array[]): Float32Array {
  if (rows.length === 1) return rows[0]!;
  const all = new Float32Array(rows.length * rows[0]!.length);
  for (const [index, row] of rows.entries()) all.set(row, index * row.length);
  return all;
}

/** Token ids of texts of one length -> rows of the embedding [texts, tokens, width]. */
function rowsOf({ shape, data }: Float32NdArray, texts: readonly (readonly number[])[]): Float32NdArray {
  const width = shape[1]!;
  const rows = float32([texts.length, texts[0]!.length, width]);
  for (const [index, id] of texts.flat().entries())
    rows.data.set(data.subarray(id * width, (id + 1) * width), index * width);
  return rows;
}
