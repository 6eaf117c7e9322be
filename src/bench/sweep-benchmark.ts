/**
 * What evaluating every stitch costs, as SN-Net has to before it deploys: one stitch after the other, and with what stitches
 * have in common shared (sweep.ts). All weights are the network's own, as after full fine-tuning; random images.
 */
import type { Batch, BatchLoader } from '../data/batches/batches.js';
import type { Engine } from '../engine/engine.js';
import { frozenOnDevice, toDevice } from '../engine/transfer.js';
import { stitchAnswers } from '../evaluation/stitch-accuracy.js';
import { sweepAccuracies } from '../evaluation/sweep.js';
import { viTArchitecture } from '../models/vit/architecture.js';
import type { ViTVariant } from '../models/vit/variants.js';
import { type Float32NdArray, int32 } from '../shared/arrays.js';
import { type NormalSource, Random } from '../shared/random.js';
import { initialTrainables } from '../stitching/parameters/initial.js';
import { namedLeaves } from '../training/parameters.js';
import { randomArray, randomNetwork, repeatedNormals, spaceBetween } from './random-network.js';

export interface SweepTiming {
  readonly stitches: number;
  readonly images: number;
  /** With compiling: what a first evaluation takes. */
  readonly first_s: { readonly one_by_one: number; readonly together: number };
  /** With programs that are compiled already. */
  readonly again_s: { readonly one_by_one: number; readonly together: number };
}

/** @param variants small to large, at least two */
export async function benchmarkSweep(
  engine: Engine,
  variants: readonly ViTVariant[],
  { images, batchSize }: { readonly images: number; readonly batchSize: number },
): Promise<SweepTiming> {
  const space = spaceBetween(variants);
  const network = { anchors: variants.map(viTArchitecture), classes: 100, adaptation: 'full' } as const;
  const random = repeatedNormals(Random.of(0, 'sweep-benchmark'));
  const host = randomNetwork(random, space, variants);
  const frozen = frozenOnDevice(engine, host);
  const weights = namedLeaves<Float32NdArray>(host);
  const trainables = toDevice(engine, initialTrainables(space, network, 0, { weights }));
  const loader = randomImages(random, variants[0]!.imageSize, images, batchSize);

  const together = () => sweepAccuracies(engine, { space, network, frozen }, trainables, loader, () => {});
  const oneByOne = async () => {
    for (const stitch of space.stitches) await stitchAnswers(engine, { network, frozen }, trainables, stitch, loader);
  };
  const first_s = { one_by_one: await secondsOf(oneByOne), together: await secondsOf(together) };
  const again_s = { one_by_one: await secondsOf(oneByOne), together: await secondsOf(together) };
  return { stitches: space.stitches.length, images, first_s, again_s };
}

/** A split in memory: reading images is no part of what is measured. */
function randomImages(
  random: NormalSource,
  side: number,
  count: number,
  batchSize: number,
): Pick<BatchLoader, 'batches'> {
  const batches: Batch[] = [];
  for (let start = 0; start < count; start += batchSize) {
    const size = Math.min(batchSize, count - start);
    batches.push({
      epoch: 0,
      index: batches.length,
      images: randomArray(random, [size, side, side, 3]),
      labels: int32([size], new Int32Array(size)),
      indices: Array.from({ length: size }, (_, image) => start + image),
    });
  }
  return {
    batches: async function* () {
      yield* batches;
    },
  };
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return Math.round(performance.now() - start) / 1000;
}
