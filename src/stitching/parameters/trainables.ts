/**
 * What is trained, as a flat dictionary of named tensors. PST (ESTA, parameter-efficient stitch fine-tuning):
 *
 *     update/ANCHOR/BLOCK/STACK/down [layers, from, rank], up [layers, rank, to]    shared by all stitches
 *     layer/LAYER/down [from, rank], up [rank, to]             shared by the stitches that cross the layer
 *     bias/STITCH/SEGMENT [values]                             owned by the stitch: block by block, layer by layer
 *     bias/STITCH/layer [to]                                   owned by the stitch: its stitching layer
 *     head/ANCHOR/weight [width, classes], bias [classes]      shared by the stitches that end in the anchor
 *
 * Which layers of a block are adapted, and which share a stack, is a matter of the architecture (`AdaptedLayers`): query,
 * key and value of a vision transformer are the stack `attention`; fc1 and fc2 of a ConvNeXt are `expand` and `contract`.
 *
 * SS-LoRA (supplement H) has own/STITCH/update/... and own/STITCH/layer/... in place of the shared updates. Full
 * fine-tuning (SN-Net) has weights/..., see full-trainables.ts, and heads.
 */
import { type Architecture, numFeatures } from '../../models/architecture.js';
import { initialHead } from '../../models/weights.js';
import { type Float32NdArray, float32, sizeOf } from '../../shared/arrays.js';
import { Random } from '../../shared/random.js';
import { crossingOf, type StitchableNetwork } from '../space/cost.js';
import { blocksOnPath, lastAnchor, type Stitch } from '../space/stitch.js';
import type { StitchSpace } from '../space/stitch-space.js';
import { fullTrainablesOf } from './full-trainables.js';

/** Names and shapes of everything that is trained when `stitch` is. */
export function trainablesOf(
  stitch: Stitch,
  { anchors, classes, adaptation }: StitchableNetwork,
): Record<string, readonly number[]> {
  const last = lastAnchor(stitch);
  const heads = {
    [`head/${last}/weight`]: [numFeatures(anchors[last]!), classes],
    [`head/${last}/bias`]: [classes],
  };
  if (adaptation === 'full') return { ...fullTrainablesOf(stitch, anchors), ...heads };
  const { ranks, stitchingLayerRank, stitchBias, ownLowRank } = adaptation;
  const shapes: Record<string, readonly number[]> = {};
  const owner = ownLowRank ? `own/${stitch.id}/` : '';
  for (const { anchor, block } of blocksOnPath(stitch)) {
    const rank = ranks[anchor]!;
    if (rank === 0) continue;
    for (const { name, layers, from, to } of anchors[anchor]!.blocks[block]!.adapted) {
      shapes[`${owner}update/${anchor}/${block}/${name}/down`] = [layers.length, from, rank];
      shapes[`${owner}update/${anchor}/${block}/${name}/up`] = [layers.length, rank, to];
    }
  }
  if (stitchBias) {
    for (const [segment, { anchor, blocks }] of stitch.path.entries()) {
      shapes[`bias/${stitch.id}/${segment}`] = [biasLengthOf(anchors[anchor]!, blocks)];
    }
  }
  const crossing = crossingOf(stitch, anchors);
  if (crossing) {
    const { from, to } = crossing;
    if (stitchingLayerRank > 0) {
      shapes[`${owner}layer/${stitch.stitchingLayer}/down`] = [from, stitchingLayerRank];
      shapes[`${owner}layer/${stitch.stitchingLayer}/up`] = [stitchingLayerRank, to];
    }
    if (stitchBias) shapes[`bias/${stitch.id}/layer`] = [to];
  }
  return { ...shapes, ...heads };
}

/** Where the bias of one layer lies in the tensor bias/STITCH/SEGMENT. */
export interface BiasPart {
  readonly layer: string;
  readonly offset: number;
  readonly length: number;
}

/** The parts of a segment's biases by block. */
export function biasPartsOf(
  { blocks: shapes }: Pick<Architecture, 'blocks'>,
  [from, to]: Stitch['path'][number]['blocks'],
): Map<number, BiasPart[]> {
  const parts = new Map<number, BiasPart[]>();
  let offset = 0;
  for (let block = from; block < to; block++) {
    const ofBlock: BiasPart[] = [];
    for (const { layers, to: length } of shapes[block]!.adapted) {
      for (const layer of layers) {
        ofBlock.push({ layer, offset, length });
        offset += length;
      }
    }
    parts.set(block, ofBlock);
  }
  return parts;
}

function biasLengthOf(anchor: Pick<Architecture, 'blocks'>, blocks: Stitch['path'][number]['blocks']): number {
  const parts = [...biasPartsOf(anchor, blocks).values()].flat();
  return parts.reduce((sum, { length }) => sum + length, 0);
}

/**
 * Starting values: A uniform in +-1 / sqrt(in) and B zero, as LoRA (loralib, peft); stitch-specific biases zero, so that
 * at the start every stitch is exactly its frozen anchors; heads as timm makes new ones.
 *
 * @param start values that are there already, by name: the pretrained weights (`weights/...`) of full fine-tuning, heads
 * @throws Error when a weight of full fine-tuning is not among them
 */
export function initialTrainables(
  { stitches }: Pick<StitchSpace, 'stitches'>,
  network: StitchableNetwork,
  seed: number,
  start: Readonly<Record<string, Float32NdArray>> = {},
): Record<string, Float32NdArray> {
  const values: Record<string, Float32NdArray> = {};
  for (const stitch of stitches) {
    for (const [name, shape] of Object.entries(trainablesOf(stitch, network))) {
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
