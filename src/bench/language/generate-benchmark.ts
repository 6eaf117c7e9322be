/**
 * How fast a language model reads a prompt and writes: a network of random weights with its key-value cache, as
 * `esta generate` runs it. Each new token reads all weights once, so that its time is compared with the time that reading
 * as many bytes takes.
 */
import tf = require('@tensorflow/tfjs');

import type { Engine } from '../../engine/engine.js';
import { type LanguageModel, pathModel } from '../../evaluation/generation/language-model.js';
import { float32 } from '../../shared/arrays.js';
import { oneDecimal } from '../../shared/costs/numbers.js';
import { median } from '../../shared/groups.js';
import { milliseconds } from '../step-benchmark.js';
import type { RandomPath } from './random-llama.js';

export interface GenerateBenchmarkOptions {
  /** Texts that are written side by side. */
  readonly batchSize: number;
  /** Tokens of each prompt, and new ones of each text. */
  readonly promptTokens: number;
  readonly newTokens: number;
  /** Timed repetitions; the median counts, of new tokens that of all of them. */
  readonly repeat: number;
}

export interface GenerateTiming {
  readonly params: number;
  /** Bytes of the weights as they are kept. */
  readonly weight_bytes: number;
  /** From the prompt to the logits of the first new token. */
  readonly first_token_ms: number;
  readonly prompt_tokens_per_second: number;
  /** Multiply-accumulates of the linear layers of the prompt, twice, per second. */
  readonly prompt_gflops_per_second: number;
  /** New tokens of all texts. */
  readonly tokens_per_second: number;
  /** Of each text. */
  readonly seconds_per_token: number;
  /** Bytes of weights that a step reads, by its time. */
  readonly gigabytes_per_second: number;
  /** Largest resident memory of the process, MiB. */
  readonly peak_memory_mib: number;
}

/** @param path a network, or a stitch */
export async function benchmarkGenerate(
  engine: Engine,
  { weights, shapes, bytes, params }: RandomPath,
  { batchSize, promptTokens, newTokens, repeat }: GenerateBenchmarkOptions,
): Promise<GenerateTiming> {
  const model = pathModel(engine, shapes, weights);
  const [first, last] = [shapes[0]!.config, shapes.at(-1)!.config];
  const once = () => timed(model, first.vocabulary, batchSize, promptTokens, newTokens);
  await once(); // compiles
  const times: Awaited<ReturnType<typeof once>>[] = [];
  for (let count = 0; count < repeat; count++) times.push(await once());
  model.dispose();
  const prompt = median(times.map((time) => time.prompt));
  const step = median(times.flatMap(({ steps }) => steps));
  const [embedding, head] = [first, last].map(({ vocabulary, width }) => vocabulary * width) as [number, number];
  const isTied = !weights.head;
  // A token of the prompt passes the blocks, the last one the head too; the embedding is looked up.
  const products = (params - (first.tied ? 0 : embedding) - head) * promptTokens + head;
  // Embeddings are read row by row, unless they are the head.
  const read = bytes - (isTied ? 0 : 4 * embedding);
  return {
    params,
    weight_bytes: bytes,
    first_token_ms: oneDecimal(1000 * prompt),
    prompt_tokens_per_second: oneDecimal((batchSize * promptTokens) / prompt),
    prompt_gflops_per_second: oneDecimal((2 * batchSize * products) / prompt / 1e9),
    tokens_per_second: oneDecimal(batchSize / step),
    seconds_per_token: Number(step.toPrecision(4)),
    gigabytes_per_second: oneDecimal(read / step / 1e9),
    peak_memory_mib: Math.round(process.resourceUsage().maxRSS / 1024),
  };
}

/** Seconds of the prompt and of each new token. */
async function timed(model: LanguageModel, vocabulary: number, texts: number, prompt: number, count: number) {
  const reading = model.begin(texts, { tokens: prompt + count });
  const idsOf = (length: number, from: number) =>
    Array.from({ length: texts }, (_, text) =>
      Array.from({ length }, (_, index) => (7 * text + 31 * (from + index)) % vocabulary),
    );
  const seconds = async (length: number, from: number) => {
    const start = performance.now();
    await reading.readAll(idsOf(length, from));
    return (performance.now() - start) / 1000;
  };
  const first = await seconds(prompt, 0);
  const steps: number[] = [];
  for (let token = 0; token < count; token++) steps.push(await seconds(1, prompt + token));
  reading.end();
  return { prompt: first, steps };
}

/**
 * Bytes of a large float32 matrix that are read a second while it is multiplied by a vector, GB/s: what a token could
 * reach where only reading takes time.
 * @param side of the matrix; default 8192, larger than caches
 */
export async function readBandwidth(engine: Engine, side = 8192): Promise<number> {
  // Pages that nobody has written to are one and the same.
  const matrix = float32([side, side], new Float32Array(side ** 2).fill(1));
  const inputs = { x: engine.put(float32([1, side])), matrix: engine.put(matrix) };
  const product = engine.compile('read bandwidth', ({ x, matrix }: { x: tf.Tensor2D; matrix: tf.Tensor2D }) =>
    tf.matMul(x, matrix),
  );
  const times = await milliseconds(7, async () => {
    const result = await product(inputs);
    await engine.get(result);
    engine.free(result);
  });
  engine.free(inputs);
  return oneDecimal((4 * side ** 2) / Math.min(...times) / 1e6);
}
