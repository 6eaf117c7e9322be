/**
 * How long a whole ESTA step takes: the largest anchor learns from the labels and teaches, a sampled stitch learns from it,
 * AdamW moves both. Random weights: time does not depend on them. The ranks are those of Table I.
 */
import type { Engine } from '../engine/engine.js';
import { frozenOnDevice } from '../engine/transfer.js';
import { viTArchitecture } from '../models/vit/architecture.js';
import type { ViTVariant } from '../models/vit/variants.js';
import { type Float32NdArray, int32 } from '../shared/arrays.js';
import { Random } from '../shared/random.js';
import { initialTrainables } from '../stitching/parameters/initial.js';
import { namedTrainables } from '../stitching/parameters/names.js';
import type { Stitch } from '../stitching/space/stitch.js';
import { largestAnchor } from '../stitching/space/stitch-space.js';
import { namedLeaves } from '../training/parameters.js';
import { type StepMeasures, stepRunner } from '../training/step-runner.js';
import { type DeviceState, initialState, stateOnDevice } from '../training/training-state.js';
import { randomImages, randomNetwork, repeatedNormals, spaceBetween } from './random-network.js';
import { medianMilliseconds, type StepBenchmarkOptions } from './step-benchmark.js';

const classes = 100;
const stitchingLayerRank = 96;
const warmRate = 1e-3;

/** `sn-net`: all weights of the stitch learn, from the labels. */
type BenchmarkedMethod = 'esta' | 'sn-net';

export interface EstaStepSetting {
  readonly state: DeviceState;
  /**
   * One step of the stitch that enters an anchor half-way from the next smaller one (the smallest anchor alone), with the
   * largest as its teacher.
   */
  step(anchor: number): Promise<StepMeasures>;
  free(): void;
}

/**
 * Random weights, images and labels, the same on every engine.
 * @param variants small to large, at least two
 * @throws RequestError where they cannot be stitched
 */
export function estaStepSetting(
  engine: Engine,
  variants: readonly ViTVariant[],
  { batchSize, rank }: Pick<StepBenchmarkOptions, 'batchSize' | 'rank'>,
  method: BenchmarkedMethod = 'esta',
): EstaStepSetting {
  const space = spaceBetween(variants);
  const network = {
    anchors: variants.map(viTArchitecture),
    classes,
    adaptation:
      method === 'esta' ? { ranks: variants.map(() => rank), stitchingLayerRank, stitchBias: true } : ('full' as const),
  };
  const random = Random.of(0, 'esta-step-benchmark');
  const host = randomNetwork(repeatedNormals(random), space, variants);
  const frozen = frozenOnDevice(engine, host);
  const weights = method === 'esta' ? {} : { weights: namedLeaves<Float32NdArray>(host) };
  const trainables = initialTrainables(space, network, 0, weights);
  const state = stateOnDevice(engine, initialState(namedTrainables(trainables)));
  const teacher = space.stitches[largestAnchor(space)]!;
  const run = stepRunner(engine, { space, network, frozen, teacher }, state, {
    weightDecay: 1e-4,
    ...(method === 'esta' && { distillation: { temperature: 1, weight: 1 } }),
    saliency: method === 'esta',
  });
  const side = variants[0]!.imageSize;
  const images = randomImages(engine, random, [batchSize, side, side, 3]);
  const labels = int32([batchSize], new Int32Array(batchSize));
  return {
    state,
    step: async (anchor) => {
      const { id } = halfwayInto(anchor, variants[anchor]!.depth, space.stitches);
      return (await run([id], images, labels, warmRate))[0]!;
    },
    free: () => {
      engine.free(state);
      engine.free(frozen);
    },
  };
}

/**
 * @param variants small to large, at least two
 * @returns milliseconds for each variant, as `EstaStepSetting.step` counts them
 */
export async function benchmarkEstaSteps(
  engine: Engine,
  variants: readonly ViTVariant[],
  options: StepBenchmarkOptions,
): Promise<number[]> {
  const { step, free } = estaStepSetting(engine, variants, options);
  const times: number[] = [];
  for (const anchor of variants.keys()) {
    times.push(await medianMilliseconds(options.repeat, async () => void (await step(anchor))));
  }
  free();
  return times;
}

/** @returns milliseconds of a step of SN-Net: all weights of the stitch into the largest anchor learn from the labels */
export async function benchmarkSnNetStep(
  engine: Engine,
  variants: readonly ViTVariant[],
  options: StepBenchmarkOptions,
): Promise<number> {
  const { step, free } = estaStepSetting(engine, variants, options, 'sn-net');
  const time = await medianMilliseconds(options.repeat, async () => void (await step(variants.length - 1)));
  free();
  return time;
}

function halfwayInto(anchor: number, depth: number, stitches: readonly Stitch[]): Stitch {
  if (anchor === 0) return stitches[0]!;
  return stitches.find(({ path }) => path[1]?.anchor === anchor && path[1].blocks[0] === depth / 2)!;
}
