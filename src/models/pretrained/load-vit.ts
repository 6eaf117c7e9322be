/** Loads pretrained vision transformers, from whoever published them, into timm's names and layouts. */
import type { Float32NdArray, StateDict } from '../../shared/arrays.js';
import { RequestError } from '../../shared/errors.js';
import { tokensOf, type ViTVariant, variantNamed, variantNames } from '../vit/variants.js';
import { assemble, type LoadReport, type Needed, prepare, requireNames, unusedNames } from './assemble.js';
import { reshaped } from './formats/layout.js';
import type { Weights } from './formats/weights.js';
import { refuseOtherArchitectures, unknownArchitecture } from './names/other-architectures.js';
import { type ViTFlavour, vitFlavourOf } from './names/vit-flavours.js';
import { resamplePositions } from './position-embedding.js';
import { pretrainedHead } from './pretrained-head.js';
import { openWeights } from './sources/source.js';

export interface LoadedViT {
  /** timm's names, linear weights [out, in]. `head.weight` and `head.bias` are there when the report says 'kept'. */
  readonly weights: StateDict;
  readonly report: LoadReport;
}

export interface ViTLoadOptions {
  /** Classes of the task: a pretrained head of another size is left out. Default: any head is kept. */
  readonly classes?: number;
}

/**
 * @param source `embedded`, `hf-hub:OWNER/NAME[@REVISION]`, a folder, or a .safetensors or .npz file
 * @returns all tensors of `variant`; throws a RequestError that says what the file holds instead
 */
export async function loadViT(source: string, variant: ViTVariant, options: ViTLoadOptions = {}): Promise<LoadedViT> {
  const weights = await openWeights(source, variant.name);
  try {
    return await viTFrom(weights, variant, options);
  } finally {
    await weights.close();
  }
}

async function viTFrom(weights: Weights, variant: ViTVariant, { classes }: ViTLoadOptions): Promise<LoadedViT> {
  refuseOtherArchitectures(weights, 'vision transformer');
  const flavour = await vitFlavourOf(weights);
  if (!flavour) throw unknownArchitecture(weights, 'vision transformer');
  await refuseOtherSizes(weights, variant, flavour);

  const head = await pretrainedHead(weights, flavour.recipe, 'head', classes);
  const shapes = shapesOf(variant, head.keptClasses);
  let oldGrid: number | undefined;
  const adaptations: Readonly<Record<string, (tensor: Float32NdArray) => Float32NdArray>> = {
    // timm's first files hold the patch embedding as a linear layer on flattened patches.
    'patch_embed.proj.weight': (tensor) =>
      tensor.shape.length === 2 ? reshaped(tensor, shapes['patch_embed.proj.weight']!) : tensor,
    pos_embed: (tensor) => {
      const [from, to] = [gridOf(tensor), variant.imageSize / variant.patchSize];
      if (from === undefined || from === to) return tensor;
      oldGrid = from;
      return resamplePositions(tensor, from, to, flavour.resampling);
    },
  };
  const needed = Object.entries(shapes).map(([name, shape]): Needed => {
    const adapt = adaptations[name];
    return { name, shape, recipe: flavour.recipe(name), ...(adapt && { adapt }) };
  });
  const tensors = await assemble(weights, needed, variant.name);

  const known = [...Object.keys(shapes), 'head.weight', 'head.bias'].map(flavour.recipe);
  const resampled = oldGrid && { from: oldGrid, to: variant.imageSize / variant.patchSize };
  const report: LoadReport = {
    location: weights.location,
    flavour: flavour.name,
    head: head.outcome,
    ...(resampled && { resampled }),
    unused: unusedNames(weights, known),
  };
  return { weights: tensors, report };
}

/** Shapes of timm's tensors; with a head for so many classes, if given. */
function shapesOf(variant: ViTVariant, headClasses: number | undefined): Record<string, readonly number[]> {
  const { width, depth, mlpRatio, patchSize } = variant;
  const shapes: Record<string, readonly number[]> = {
    cls_token: [1, 1, width],
    pos_embed: [1, tokensOf(variant), width],
    'patch_embed.proj.weight': [width, 3, patchSize, patchSize],
    'patch_embed.proj.bias': [width],
  };
  const add = (module: string, weight: readonly number[]) => {
    shapes[`${module}.weight`] = weight;
    shapes[`${module}.bias`] = [weight[0]!];
  };
  for (let index = 0; index < depth; index++) {
    const block = `blocks.${index}`;
    add(`${block}.norm1`, [width]);
    add(`${block}.attn.qkv`, [3 * width, width]);
    add(`${block}.attn.proj`, [width, width]);
    add(`${block}.norm2`, [width]);
    add(`${block}.mlp.fc1`, [mlpRatio * width, width]);
    add(`${block}.mlp.fc2`, [width, mlpRatio * width]);
  }
  add('norm', [width]);
  if (headClasses !== undefined) add('head', [headClasses, width]);
  return shapes;
}

/** Side of the grid of patches of a position embedding [1, 1 + side * side, width]; undefined when it is no such thing. */
function gridOf({ shape }: Float32NdArray): number | undefined {
  const side = Math.sqrt(shape[1]! - 1);
  return shape.length === 3 && shape[0] === 1 && Number.isInteger(side) && side > 0 ? side : undefined;
}

/** One message for the weights of another size of network, before single tensors are compared. */
async function refuseOtherSizes(weights: Weights, variant: ViTVariant, flavour: ViTFlavour): Promise<void> {
  const [classToken, patch] = ['cls_token', 'patch_embed.proj.weight'].map((name) => ({
    recipe: flavour.recipe(name),
  }));
  requireNames(weights, [classToken!, patch!], variant.name);
  const patchShape = (await prepare(weights, patch!)).shape;
  const heads = flavour.heads === undefined ? {} : { heads: flavour.heads };
  const found: Size = {
    width: (await prepare(weights, classToken!)).shape.at(-1)!,
    depth: flavour.depth,
    patchSize: patchShape.length === 2 ? Math.sqrt(patchShape[1]! / 3) : patchShape.at(-1)!,
    ...heads,
  };
  if (isOf(variant, found)) return;
  const known = variantNames.map(variantNamed).find((other) => isOf(other, found));
  const needed = described({ ...variant, heads: flavour.heads && variant.heads });
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
  /** Not told by most flavours. */
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
