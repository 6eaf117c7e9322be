/** Recognises pretrained vision transformers, from whoever published them. */

import { imagenetNormalisation, inceptionNormalisation } from '../../data/images/preprocessing.js';
import type { Float32NdArray } from '../../shared/arrays.js';
import { RequestError } from '../../shared/errors.js';
import { imageChannels } from '../architecture.js';
import type { Normalisation } from '../family.js';
import { prepare, requireNames } from '../pretrained/assemble.js';
import type { Flavour } from '../pretrained/flavour.js';
import { reshaped } from '../pretrained/formats/layout.js';
import type { Weights } from '../pretrained/formats/weights.js';
import { normalisationNamed } from '../pretrained/normalisation-names.js';
import { checkedConfig } from '../pretrained/transformers-config.js';
import { googleViT } from './google-vit.js';
import { timmNaming, transformersNaming, type ViTNaming } from './names.js';
import { resamplePositions } from './position-embedding.js';
import { isMini, type ViTVariant, variantNamed, variantNames } from './variants.js';

/**
 * @returns undefined when the names are nobody's
 * @throws RequestError when the file holds another size of network than `variant`
 */
export async function viTFlavourOf(weights: Weights, variant: ViTVariant): Promise<Flavour | undefined> {
  const naming = await namingOf(weights);
  if (!naming) return undefined;
  await refuseOtherSizes(weights, variant, naming);
  const to = variant.imageSize / variant.patchSize;
  const from = await storedGrid(weights, naming);
  const resampled = from !== undefined && from !== to && { from, to };
  return {
    name: naming.name,
    sourceOf: naming.sourceOf,
    adapt: (tensor, name, needed) => {
      // timm's first files hold the patch embedding as a linear layer on flattened patches.
      if (name === 'patch_embed.proj.weight' && tensor.shape.length === 2) return reshaped(tensor, needed);
      if (name === 'pos_embed' && resampled) return resamplePositions(tensor, from, to, naming.resampling);
      return tensor;
    },
    ...(resampled && { resampled }),
  };
}

async function namingOf(weights: Weights): Promise<ViTNaming | undefined> {
  const transformers = transformersNaming(weights);
  if (!transformers) return timmNaming(weights) ?? googleViT(weights);
  const { num_attention_heads: heads } = await checkedConfig(weights);
  return { ...transformers, ...(heads !== undefined && { heads }) };
}

/** Names of tensors tell Google's archives, and masked autoencoders by their decoder and mask. */
export function viTNormalisationOf(origin: string, { names }: Weights, variant: ViTVariant): Normalisation | undefined {
  // The mini networks are this project's own.
  if (isMini(variant)) return inceptionNormalisation;
  const all = [...names];
  if (all.some((name) => /(^|\.)(mask_token|decoder_pos_embed)$/.test(name))) return imagenetNormalisation;
  return (
    normalisationNamed(origin) ??
    (all.some((name) => name.includes('Transformer/encoderblock')) ? inceptionNormalisation : undefined)
  );
}

/** Side of the grid of patches that the position embedding of the file is for; undefined where it has none. */
async function storedGrid(weights: Weights, { sourceOf }: ViTNaming): Promise<number | undefined> {
  const source = sourceOf('pos_embed');
  if (!source.from.every((name) => weights.names.has(name))) return undefined;
  return gridOf(await prepare(weights, { source }));
}

/** Side of the grid of patches of a position embedding [1, 1 + side * side, width]; undefined when it is no such thing. */
function gridOf({ shape }: Float32NdArray): number | undefined {
  const side = Math.sqrt(shape[1]! - 1);
  return shape.length === 3 && shape[0] === 1 && Number.isInteger(side) && side > 0 ? side : undefined;
}

/** One message for the weights of another size of network, before single tensors are compared. */
async function refuseOtherSizes(weights: Weights, variant: ViTVariant, naming: ViTNaming): Promise<void> {
  const classToken = { source: naming.sourceOf('cls_token') };
  const patch = { source: naming.sourceOf('patch_embed.proj.weight') };
  requireNames(weights, [classToken, patch], variant.name);
  const patchShape = (await prepare(weights, patch)).shape;
  const found: Size = {
    width: (await prepare(weights, classToken)).shape.at(-1)!,
    depth: naming.depth,
    patchSize: patchShape.length === 2 ? Math.sqrt(patchShape[1]! / imageChannels) : patchShape.at(-1)!,
    heads: naming.heads,
  };
  if (isOf(variant, found)) return;
  const known = variantNames.map(variantNamed).find((other) => isOf(other, found));
  const needed = described({ ...variant, heads: naming.heads && variant.heads });
  throw new RequestError(
    `${weights.location} holds a vision transformer with ${described(found)}, but ${variant.name} has ${needed}`,
    known
      ? `It looks like ${known.name}: name that architecture, or use weights of ${variant.name}.`
      : `Use weights of ${variant.name}.`,
  );
}

interface Size {
  readonly width: number;
  readonly depth: number;
  readonly patchSize: number;
  /** Not told by most namings. */
  readonly heads?: number | undefined;
}

function isOf(variant: ViTVariant, { width, depth, patchSize, heads }: Size): boolean {
  return (
    variant.width === width &&
    variant.depth === depth &&
    variant.patchSize === patchSize &&
    (heads === undefined || heads === variant.heads)
  );
}

function described({ width, depth, patchSize, heads }: Size): string {
  const common = `width ${width}, depth ${depth}, patch size ${patchSize}`;
  return heads === undefined ? common : `${common}, ${heads} heads`;
}
