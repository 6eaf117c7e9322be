/** The network of a trial on the engine: frozen anchors, started stitching layers, and what is counted about them. */
import type { Experiment } from '../config/schema.js';
import type { Engine, Value } from '../engine/engine.js';
import { loadViT } from '../models/checkpoint/load-vit.js';
import type { Linear } from '../models/layers.js';
import type { ViTVariant } from '../models/variants.js';
import type { ViTWeights } from '../models/vision-transformer.js';
import { weightsFrom } from '../models/vit-weights.js';
import type { Float32NdArray } from '../shared/arrays.js';
import { mapTree, type Tree } from '../shared/tree.js';
import { type StitchableViT, stitchFlops } from '../stitching/cost.js';
import { type FlopsBins, flopsBins } from '../stitching/flops-bins.js';
import { startStitchingLayers } from '../stitching/layer-start.js';
import type { Stitch } from '../stitching/stitch.js';
import { largestAnchor, type StitchSpace } from '../stitching/stitch-space.js';
import type { FrozenNetwork } from '../stitching/stitchable-network.js';
import { spaceOf } from './space.js';

export interface Palette {
  readonly variants: readonly ViTVariant[];
  readonly space: StitchSpace;
  readonly network: StitchableViT;
  readonly frozen: FrozenNetwork<Value>;
  /** The teacher of in-place distillation. */
  readonly teacher: Stitch;
  readonly flops: readonly number[];
  readonly bins: FlopsBins;
  /** Relative error of the least-squares start of each stitching layer. */
  readonly startErrors: readonly number[];
}

const isArray = (node: Tree<Float32NdArray>): node is Float32NdArray => 'dtype' in node;

/** Loads the anchors and fits the stitching layers on `images`. */
export async function preparePalette(
  engine: Engine,
  experiment: Experiment,
  classes: number,
  images: readonly Float32NdArray[],
): Promise<Palette> {
  const { anchors: variants, space, network } = spaceOf(experiment, classes);
  const put = <T>(tree: unknown) => mapTree(tree as Tree<Float32NdArray>, isArray, (array) => engine.put(array)) as T;
  const anchors: ViTWeights<Value>[] = [];
  for (const [index, variant] of variants.entries()) {
    const { weights } = await loadViT(experiment.anchors[index]!.checkpoint, variant, { classes });
    anchors.push(put(weightsFrom(weights, variant)));
  }
  const started = await startStitchingLayers(engine, space, anchors, variants, images);
  const layers = started.map(({ weight, bias }) => put<Linear<Value>>({ weight, bias }));
  const flops = space.stitches.map((stitch) => stitchFlops(stitch, network));
  const largest = largestAnchor(space);
  return {
    variants,
    space,
    network,
    frozen: { anchors, layers },
    teacher: space.stitches[largest]!,
    flops,
    bins: flopsBins(flops, largest, { count: experiment.sampling.bins }),
    startErrors: started.map(({ relativeError }) => relativeError),
  };
}
