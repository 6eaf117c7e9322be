/**
 * The names under which vision transformers are published, and how timm's tensors are made from them:
 * - timm and DeiT (timm/models/vision_transformer.py);
 * - Hugging Face transformers (models/vit/convert_vit_timm_to_pytorch.py), query, key and value apart;
 * - Google's archives, vision_transformer and big_vision (timm's _load_weights), linear weights [in, out].
 */
import type { TensorSource } from '../pretrained/flavour.js';
import { stacked } from '../pretrained/formats/layout.js';
import type { Weights } from '../pretrained/formats/weights.js';
import { blockPart, countBlocks, prefixBefore, wrappers } from '../pretrained/names.js';
import { transformersName } from '../pretrained/transformers-config.js';
import type { Resampling } from './position-embedding.js';

export interface ViTNaming {
  readonly name: string;
  /** What timm does to position embeddings of such files. */
  readonly resampling: Resampling;
  /** Blocks in the file. */
  readonly depth: number;
  /** Heads of a block, where the file tells them apart. */
  readonly heads?: number;
  /** How a tensor of timm's is made. */
  readonly sourceOf: (timmName: string) => TensorSource;
}

type NamedWeights = Pick<Weights, 'names' | 'location'>;

/** timm's own names; undefined when a file has others. */
export function timmNaming(weights: NamedWeights): ViTNaming | undefined {
  const { names } = weights;
  const prefix = prefixBefore(weights, new RegExp(`^(${wrappers})patch_embed\\.proj\\.weight$`));
  if (prefix === undefined) return undefined;
  return {
    name: 'timm',
    resampling: 'bicubic',
    depth: countBlocks(names, `${prefix}blocks.`),
    sourceOf: (timmName) => ({ from: [prefix + timmName] }),
  };
}

const transformersNames: Readonly<Record<string, string>> = {
  cls_token: 'embeddings.cls_token',
  pos_embed: 'embeddings.position_embeddings',
  'patch_embed.proj': 'embeddings.patch_embeddings.projection',
  norm: 'layernorm',
  norm1: 'layernorm_before',
  norm2: 'layernorm_after',
  'attn.proj': 'attention.output.dense',
  'mlp.fc1': 'intermediate.dense',
  'mlp.fc2': 'output.dense',
};

/** Those of Hugging Face transformers; undefined when a file has others. */
export function transformersNaming(weights: NamedWeights): ViTNaming | undefined {
  const { names } = weights;
  const sign = new RegExp(`^(${wrappers}(?:vit\\.)?)embeddings\\.patch_embeddings\\.projection\\.weight$`);
  const prefix = prefixBefore(weights, sign);
  if (prefix === undefined) return undefined;
  // The classifier lies beside the backbone, inside the same wrappers.
  const outside = prefix.replace(/vit\.$/, '');
  const renamed = (timmName: string) => {
    const [, module, parameter] = /^(.*?)(\.weight|\.bias|)$/.exec(timmName)!;
    return transformersNames[module!]! + parameter;
  };
  const sourceOf = (timmName: string): TensorSource => {
    if (timmName.startsWith('head.')) return { from: [outside + timmName.replace('head', 'classifier')] };
    const block = blockPart(timmName);
    if (!block) return { from: [prefix + renamed(timmName)] };
    const layer = `${prefix}encoder.layer.${block.index}.`;
    const parameter = /^attn\.qkv\.(.*)$/.exec(block.part)?.[1];
    if (parameter === undefined) return { from: [layer + renamed(block.part)] };
    const from = ['query', 'key', 'value'].map((name) => `${layer}attention.attention.${name}.${parameter}`);
    return { from, make: stacked };
  };
  return {
    name: transformersName,
    resampling: 'bicubic',
    depth: countBlocks(names, `${prefix}encoder.layer.`),
    sourceOf,
  };
}
