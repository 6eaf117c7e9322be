/**
 * The names and layouts of Google's vision transformers (google-research/vision_transformer, vit_jax/models_vit.py, and
 * big_vision): linear weights [in, out], attention [width, heads, head width], convolutions [height, width, in, out].
 * Read as timm reads them (timm/models/vision_transformer.py, _load_weights).
 */
import type { Float32NdArray } from '../../shared/arrays.js';
import type { TensorSource } from '../pretrained/flavour.js';
import { entryOf, permuted, reshaped, stacked } from '../pretrained/formats/layout.js';
import type { Weights } from '../pretrained/formats/weights.js';
import { blockPart, countBlocks, prefixBefore } from '../pretrained/names.js';
import type { ViTNaming } from './names.js';

export async function googleViT(weights: Weights): Promise<ViTNaming | undefined> {
  const { names } = weights;
  const prefix = prefixBefore(weights, /^((?:opt\/target\/|params\/(?:img\/)?)?)embedding\/kernel$/);
  if (prefix === undefined) return undefined;
  const encoder = `${prefix}Transformer/`;
  // big_vision may keep all blocks in one array, with a leading axis for the block.
  const together = names.has(`${encoder}encoderblock/LayerNorm_0/scale`);
  const blockAt = (index: number) => `${encoder}encoderblock${together ? '' : `_${index}`}/`;
  const parts = blockParts(numberingOf(names, blockAt(0)));
  const outer = outerParts(names, prefix);
  const sourceOf = (timmName: string): TensorSource => {
    const block = blockPart(timmName);
    if (!block) return outer[timmName]!;
    const { from, make } = parts[block.part]!;
    const entries = (arrays: readonly Float32NdArray[]) =>
      make(together ? arrays.map((array) => entryOf(array, block.index)) : arrays);
    return { from: from.map((name) => blockAt(block.index) + name), make: entries };
  };
  const extents = async (timmName: string): Promise<readonly number[]> => {
    const name = sourceOf(timmName).from[0]!;
    return names.has(name) ? (await weights.read(name)).shape : [];
  };
  const depth = together ? (await extents('blocks.0.norm1.weight'))[0]! : countBlocks(names, `${encoder}encoderblock_`);
  const heads = (await extents('blocks.0.attn.qkv.bias')).at(-2);
  return { name: 'Google npz', resampling: 'bilinear', depth, sourceOf, ...(heads !== undefined && { heads }) };
}

interface Numbering {
  readonly attention: number;
  readonly norm2: number;
  readonly mlp: number;
}

/** vision_transformer numbers the four parts of a block through, big_vision those of each kind. */
function numberingOf(names: ReadonlySet<string>, block: string): Numbering {
  return names.has(`${block}MultiHeadDotProductAttention_1/query/kernel`)
    ? { attention: 1, norm2: 2, mlp: 3 }
    : { attention: 0, norm2: 1, mlp: 0 };
}

function outerParts(names: ReadonlySet<string>, prefix: string): Readonly<Record<string, TensorSource>> {
  const encoder = `${prefix}Transformer/`;
  const bigVisionPosition = `${prefix}pos_embedding`;
  return {
    cls_token: same(`${prefix}cls`),
    pos_embed: same(names.has(bigVisionPosition) ? bigVisionPosition : `${encoder}posembed_input/pos_embedding`),
    'patch_embed.proj.weight': one(`${prefix}embedding/kernel`, (kernel) => permuted(kernel, [3, 2, 0, 1])),
    'patch_embed.proj.bias': same(`${prefix}embedding/bias`),
    'norm.weight': same(`${encoder}encoder_norm/scale`),
    'norm.bias': same(`${encoder}encoder_norm/bias`),
    'head.weight': one(`${prefix}head/kernel`, transposed),
    'head.bias': same(`${prefix}head/bias`),
  };
}

/** Sources by the name inside a block, from names inside a block. */
function blockParts({ attention, norm2, mlp }: Numbering): Readonly<Record<string, Required<TensorSource>>> {
  const inAttention = `MultiHeadDotProductAttention_${attention}`;
  const projections = (parameter: string) =>
    ['query', 'key', 'value'].map((name) => `${inAttention}/${name}/${parameter}`);
  return {
    'norm1.weight': same('LayerNorm_0/scale'),
    'norm1.bias': same('LayerNorm_0/bias'),
    'attn.qkv.weight': {
      from: projections('kernel'),
      make: (kernels) => stacked(kernels.map((kernel) => transposed(reshaped(kernel, [kernel.shape[0]!, -1])))),
    },
    'attn.qkv.bias': {
      from: projections('bias'),
      make: (biases) => stacked(biases.map((bias) => reshaped(bias, [-1]))),
    },
    'attn.proj.weight': one(`${inAttention}/out/kernel`, (kernel) =>
      transposed(reshaped(kernel, [-1, kernel.shape.at(-1)!])),
    ),
    'attn.proj.bias': same(`${inAttention}/out/bias`),
    'norm2.weight': same(`LayerNorm_${norm2}/scale`),
    'norm2.bias': same(`LayerNorm_${norm2}/bias`),
    'mlp.fc1.weight': one(`MlpBlock_${mlp}/Dense_0/kernel`, transposed),
    'mlp.fc1.bias': same(`MlpBlock_${mlp}/Dense_0/bias`),
    'mlp.fc2.weight': one(`MlpBlock_${mlp}/Dense_1/kernel`, transposed),
    'mlp.fc2.bias': same(`MlpBlock_${mlp}/Dense_1/bias`),
  };
}

/** From one tensor. */
function one(name: string, change: (array: Float32NdArray) => Float32NdArray): Required<TensorSource> {
  return { from: [name], make: ([array]) => change(array!) };
}

function same(name: string): Required<TensorSource> {
  return one(name, (array) => array);
}

function transposed(kernel: Float32NdArray): Float32NdArray {
  return permuted(kernel, [1, 0]);
}
