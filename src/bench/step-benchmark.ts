/**
 * How long one adaptation step takes: the frozen blocks of a ViT with low-rank updates on q, k and v, forward alone and forward
 * plus backward, on random tokens. The same work as a step of any training run, without data loading.
 */
import tf = require('@tensorflow/tfjs');

import type { Engine, Value } from '../engine/engine.js';
import type { LowRankUpdate } from '../engine/ops/low-rank-linear.js';
import { frozenOnDevice, toDevice } from '../engine/transfer.js';
import { viTArchitecture } from '../models/vit/architecture.js';
import { tokensOf, type ViTVariant } from '../models/vit/variants.js';
import { projections, runBlock, type ViTBlock } from '../models/vit/vision-transformer.js';
import { initialWeights } from '../models/weights.js';
import { type Float32NdArray, float32 } from '../shared/arrays.js';
import { oneDecimal } from '../shared/costs/numbers.js';
import { median } from '../shared/groups.js';
import { Random } from '../shared/random.js';
import { randomArray, repeatedNormals } from './random-network.js';

export interface StepBenchmarkOptions {
  readonly batchSize: number;
  readonly rank: number;
  /** Timed repetitions; the median counts. */
  readonly repeat: number;
}

export interface StepTiming {
  readonly model: string;
  readonly forward_ms: number;
  readonly step_ms: number;
  /** Multiply-accumulates of matrix products in forward and backward, twice, per second of `step_ms`, in GFLOP/s. */
  readonly gflops_per_second: number;
  /** Largest resident memory of the process so far, MiB: models are timed from small to large. */
  readonly peak_memory_mib: number;
  /** Frozen weights in the compiled programs so far, MiB; 0 where weights are inputs. */
  readonly program_weights_mib: number;
}

export async function benchmarkStep(
  engine: Engine,
  variant: ViTVariant,
  { batchSize, rank, repeat }: StepBenchmarkOptions,
): Promise<StepTiming> {
  const { width, depth } = variant;
  const random = repeatedNormals(Random.of(0, 'step-benchmark', variant.name));
  const tokens = tokensOf(variant);
  const draw = (...shape: number[]) => randomArray(random, shape);
  const update = () => projections.map(() => ({ down: draw(width, rank), up: float32([rank, width]) }));
  const weights = initialWeights(viTArchitecture(variant), random).blocks as readonly ViTBlock<Float32NdArray>[];
  const inputs = {
    blocks: frozenOnDevice(engine, weights),
    ...toDevice(engine, {
      updates: Array.from({ length: depth }, update),
      x: draw(batchSize, tokens, width),
    }),
  };

  const forward = engine.compile(`bench-forward-${variant.name}`, (given: StepInputs) =>
    run(given, variant).square().mean(),
  );
  const step = engine.compile(`bench-step-${variant.name}`, (given: StepInputs) => {
    const moving = given.updates.flatMap((block) => block.flatMap(({ down, up }) => [down, up]));
    const loss = (...values: tf.Tensor[]) =>
      run({ ...given, updates: regroup(values) }, variant)
        .square()
        .mean<tf.Scalar>();
    return tf.valueAndGrads(loss)(moving);
  });

  const forward_ms = await medianMilliseconds(repeat, async () => {
    const loss = await forward(inputs);
    await finished(engine, loss, loss);
  });
  const step_ms = await medianMilliseconds(repeat, async () => {
    const result = await step(inputs);
    await finished(engine, result, result.value);
  });
  const blockProducts = tokens * 12 * width ** 2 + 2 * tokens ** 2 * width;
  const flops = 2 * 2 * batchSize * depth * blockProducts;
  return {
    model: variant.name,
    forward_ms,
    step_ms,
    gflops_per_second: Math.round(flops / step_ms / 1e6),
    ...memoryOf(engine),
  };
}

export function memoryOf(engine: Engine): Pick<StepTiming, 'peak_memory_mib' | 'program_weights_mib'> {
  return {
    peak_memory_mib: Math.round(process.resourceUsage().maxRSS / 1024),
    program_weights_mib: Math.round((engine.programMemory?.().constants ?? 0) / 2 ** 20),
  };
}

/** Most memory of the device that was in use so far, by the names of a report; nothing where the engine does not know. */
export function deviceMemoryOf<Name extends string>(
  { deviceMemory }: Pick<Engine, 'deviceMemory'>,
  name: Name,
): Partial<Record<Name, number>> {
  return deviceMemory ? ({ [name]: Math.round(deviceMemory() / 2 ** 20) } as Record<Name, number>) : {};
}

/** Reads one number of the result, as training reads the loss: a GPU has only then done what it was told to do. */
async function finished(engine: Engine, result: object, number: Value): Promise<void> {
  await engine.get(number);
  engine.free(result);
}

interface StepInputs {
  readonly blocks: readonly ViTBlock<tf.Tensor>[];
  /** One list per block: q, k, v. */
  readonly updates: readonly (readonly LowRankUpdate[])[];
  readonly x: tf.Tensor;
}

function run({ blocks, updates, x }: StepInputs, variant: ViTVariant): tf.Tensor {
  return blocks.reduce((tokens, block, index) => {
    const adaptation = Object.fromEntries(
      projections.map((projection, part) => [projection, { update: updates[index]![part]! }]),
    );
    return runBlock(block, tokens, variant, adaptation);
  }, x);
}

/** A flat list down, up, down, up, ... back to three updates a block. */
function regroup(values: readonly tf.Tensor[]): LowRankUpdate[][] {
  return Array.from({ length: values.length / 6 }, (_, block) =>
    projections.map((_, part) => ({ down: values[block * 6 + part * 2]!, up: values[block * 6 + part * 2 + 1]! })),
  );
}

/**
 * What the engine reaches on one large square matrix product, in GFLOP/s: the share of it that a step reaches tells how
 * much is lost outside of matrix products.
 */
export async function matmulPeak(engine: Engine): Promise<number> {
  const size = 2048;
  const random = repeatedNormals(Random.of(0, 'matmul-peak'));
  const draw = () => engine.put(float32([size, size], random.truncatedNormal(size * size, 1)), true);
  const inputs = { a: draw(), b: draw() };
  const product = engine.compile('matmul-peak', ({ a, b }: { a: tf.Tensor2D; b: tf.Tensor2D }) =>
    tf.matMul(a, b).slice([0, 0], [1, 1]),
  );
  const times = await milliseconds(15, async () => {
    const corner = await product(inputs);
    await finished(engine, corner, corner);
  });
  engine.free(inputs);
  return Math.round((2 * size ** 3) / Math.min(...times) / 1e6);
}

/** Median of `repeat` timings after one that compiles. */
export async function medianMilliseconds(repeat: number, work: () => Promise<void>): Promise<number> {
  return oneDecimal(median(await milliseconds(repeat, work)));
}

/** Of `repeat` runs after one that compiles. */
export async function milliseconds(repeat: number, work: () => Promise<void>): Promise<number[]> {
  await work();
  const times: number[] = [];
  for (let count = 0; count < repeat; count++) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  return times;
}
