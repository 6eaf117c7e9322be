/**
 * What is trained, as a flat dictionary of named tensors. PST (ESTA, parameter-efficient stitch fine-tuning):
 *
 *     update/ANCHOR/BLOCK/down [3, width, rank], up [3, rank, width]    shared by all stitches: q, k, v of a block
 *     layer/LAYER/down [from, rank], up [rank, to]                      shared by the stitches that cross the layer
 *     bias/STITCH/SEGMENT [blocks, 3, width]                            owned by the stitch: q, k, v of its blocks
 *     bias/STITCH/layer [to]                                            owned by the stitch: its stitching layer
 *     head/ANCHOR/weight [width, classes], bias [classes]               shared by the stitches that end in the anchor
 *
 * SS-LoRA (supplement H) has own/STITCH/update/... and own/STITCH/layer/... in place of the shared updates. Full
 * fine-tuning (SN-Net) has weights/..., see full-trainables.ts, and heads.
 */
import { initialHead } from '../models/vit-weights.js';
import { type Float32NdArray, float32, sizeOf } from '../shared/arrays.js';
import { Random } from '../shared/random.js';
import type { StitchableViT } from './cost.js';
import { fullTrainablesOf } from './full-trainables.js';
import { lastAnchor, type Stitch } from './stitch.js';
import type { StitchSpace } from './stitch-space.js';

/** Names and shapes of everything that is trained when `stitch` is. */
export function trainablesOf(
  stitch: Stitch,
  { stitchingLayers }: Pick<StitchSpace, 'stitchingLayers'>,
  { anchors, classes, adaptation }: StitchableViT,
): Record<string, readonly number[]> {
  const last = lastAnchor(stitch);
  const heads = {
    [`head/${last}/weight`]: [anchors[last]!.width, classes],
    [`head/${last}/bias`]: [classes],
  };
  if (adaptation === 'full') return { ...fullTrainablesOf(stitch, stitchingLayers, anchors), ...heads };
  const { ranks, stitchingLayerRank, stitchBias, ownLowRank } = adaptation;
  const shapes: Record<string, readonly number[]> = {};
  const owner = ownLowRank ? `own/${stitch.id}/` : '';
  for (const [segment, { anchor, blocks }] of stitch.path.entries()) {
    const { width } = anchors[anchor]!;
    const rank = ranks[anchor]!;
    for (let block = blocks[0]; rank > 0 && block < blocks[1]; block++) {
      shapes[`${owner}update/${anchor}/${block}/down`] = [3, width, rank];
      shapes[`${owner}update/${anchor}/${block}/up`] = [3, rank, width];
    }
    if (stitchBias) shapes[`bias/${stitch.id}/${segment}`] = [blocks[1] - blocks[0], 3, width];
  }
  if (stitch.stitchingLayer !== undefined) {
    const { fromAnchor, toAnchor } = stitchingLayers[stitch.stitchingLayer]!;
    const [from, to] = [anchors[fromAnchor]!.width, anchors[toAnchor]!.width];
    if (stitchingLayerRank > 0) {
      shapes[`${owner}layer/${stitch.stitchingLayer}/down`] = [from, stitchingLayerRank];
      shapes[`${owner}layer/${stitch.stitchingLayer}/up`] = [stitchingLayerRank, to];
    }
    if (stitchBias) shapes[`bias/${stitch.id}/layer`] = [to];
  }
  return { ...shapes, ...heads };
}

/**
 * Starting values: A uniform in +-1 / sqrt(in) and B zero, as LoRA (loralib, peft); stitch-specific biases zero, so that
 * at the start every stitch is exactly its frozen anchors; heads as timm makes new ones.
 *
 * @param start values that are there already, by name: the pretrained weights (`weights/...`) of full fine-tuning, heads
 * @throws Error when a weight of full fine-tuning is not among them
 */
export function initialTrainables(
  space: Pick<StitchSpace, 'stitches' | 'stitchingLayers'>,
  network: StitchableViT,
  seed: number,
  start: Readonly<Record<string, Float32NdArray>> = {},
): Record<string, Float32NdArray> {
  const values: Record<string, Float32NdArray> = {};
  for (const stitch of space.stitches) {
    for (const [name, shape] of Object.entries(trainablesOf(stitch, space, network))) {
      if (!(name in values)) values[name] = start[name] ?? initialValue(name, shape, seed);
    }
  }
  return values;
}

function initialValue(name: string, shape: readonly number[], seed: number): Float32NdArray {
  if (name.startsWith('weights/')) throw new Error(`no pretrained tensor is given for ${name}`);
  const random = Random.of(seed, 'trainables', name);
  if (/^head\/.*weight$/.test(name)) return initialHead(shape[0]!, shape[1]!, random).weight;
  if (!name.endsWith('/down')) return float32(shape);
  const bound = 1 / Math.sqrt(shape.at(-2)!);
  return float32(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => random.uniform(-bound, bound)),
  );
}
