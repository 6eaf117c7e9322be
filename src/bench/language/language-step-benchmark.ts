/**
 * How long one adaptation step of a language model takes: frozen weights, low-rank updates on q and v, forward alone and
 * forward plus backward, on random tokens of which each is learned. The work of alpaca-lora on one micro batch.
 */
import tf = require('@tensorflow/tfjs');

import type { Engine } from '../../engine/engine.js';
import { frozenOnDevice, toDevice } from '../../engine/transfer.js';
import { llamaArchitecture } from '../../models/llama/architecture.js';
import type { LlamaConfig } from '../../models/llama/config.js';
import { type LlamaBlockAdaptation, type LlamaWeights, runLlama } from '../../models/llama/llama.js';
import type { Storage } from '../../models/llama/load.js';
import { projectionWidths } from '../../models/llama/tensors.js';
import { float32, int32 } from '../../shared/arrays.js';
import { Random } from '../../shared/random.js';
import { crossEntropy } from '../../training/loss.js';
import { randomArray } from '../random-network.js';
import { medianMilliseconds, memoryOf, type StepBenchmarkOptions, type StepTiming } from '../step-benchmark.js';
import { randomLlama, randomOptions } from './random-llama.js';

export interface LanguageStepOptions extends StepBenchmarkOptions {
  readonly storage: Storage;
  /** Of each text. */
  readonly tokens: number;
}

const adaptedLayers = ['query', 'value'] as const;

interface StepInputs {
  readonly weights: LlamaWeights<tf.Tensor>;
  /** down, up of query and value, block by block. */
  readonly updates: readonly tf.Tensor[];
  readonly ids: tf.Tensor;
}

export async function benchmarkLanguageStep(
  engine: Engine,
  name: string,
  config: LlamaConfig,
  { storage, batchSize, tokens, rank, repeat }: LanguageStepOptions,
): Promise<StepTiming> {
  const random = Random.of(0, 'language-step-benchmark', name);
  const widths = projectionWidths(config);
  const updates = Array.from({ length: config.depth }, () =>
    adaptedLayers.flatMap((layer) => [
      randomArray(random, [widths[layer].from, rank]),
      float32([rank, widths[layer].to]),
    ]),
  ).flat();
  const ids = Int32Array.from({ length: batchSize * tokens }, (_, index) => (31 * index) % config.vocabulary);
  const weights = randomLlama(config, randomOptions(engine, storage));
  const inputs = {
    weights: frozenOnDevice(engine, weights),
    ...toDevice(engine, { updates, ids: int32([batchSize, tokens], ids) }),
  };
  const loss = ({ weights, ids }: StepInputs, values: readonly tf.Tensor[]) =>
    crossEntropy(runLlama(weights, ids, config, undefined, adaptationsOf(values, config.depth)), ids);
  const forward = engine.compile(`bench-forward-${name}-${storage}`, (given: StepInputs) => loss(given, given.updates));
  const step = engine.compile(`bench-step-${name}-${storage}`, (given: StepInputs) =>
    tf.valueAndGrads((...values: tf.Tensor[]) => loss(given, values))([...given.updates]),
  );
  const forward_ms = await medianMilliseconds(repeat, async () => {
    const result = await forward(inputs);
    await engine.get(result);
    engine.free(result);
  });
  const step_ms = await medianMilliseconds(repeat, async () => {
    const result = await step(inputs);
    await engine.get(result.value);
    engine.free(result);
  });
  engine.free(inputs);
  const { blocks, head } = llamaArchitecture(name, config, tokens);
  const products = blocks.reduce((sum, block) => sum + block.flops, head!.flops);
  return {
    model: name,
    forward_ms,
    step_ms,
    gflops_per_second: Math.round((2 * 2 * batchSize * products) / step_ms / 1e6),
    ...memoryOf(engine),
  };
}

function adaptationsOf(values: readonly tf.Tensor[], depth: number): LlamaBlockAdaptation[] {
  const each = 2 * adaptedLayers.length;
  return Array.from({ length: depth }, (_, block) => {
    const own = values.slice(block * each, (block + 1) * each);
    const layers = adaptedLayers.map((layer, index) => [
      layer,
      { update: { down: own[2 * index]!, up: own[2 * index + 1]! } },
    ]);
    return Object.fromEntries(layers);
  });
}
