/** Tells from the names in a file that it holds a network of another kind, and which. */
import { RequestError } from '../../../shared/errors.js';
import type { Weights } from '../formats/weights.js';

export type Family = 'vision transformer' | 'ConvNeXt';

interface Sign {
  readonly name: RegExp;
  readonly what: string;
  /** The family that has such tensors. */
  readonly family?: Family;
}

const signs: readonly Sign[] = [
  { name: /^base_model\.model\./, what: 'a PEFT adapter, not a whole network' },
  { name: /\.SCB$/, what: 'a network quantised to int8 by bitsandbytes' },
  { name: /(^|\.)dist_token$|distillation_token$/, what: 'a distilled DeiT (it has a distillation token)' },
  { name: /(^|\.)(reg_token|register_tokens)$/, what: 'a vision transformer with register tokens' },
  {
    name: /blocks\.\d+\.(ls1\.gamma|gamma_1)$|layer_scale1/,
    what: 'a vision transformer with layer scale (DeiT-3, DINOv2 or BEiT)',
  },
  { name: /blocks\.\d+\.attn\.q_norm\./, what: 'a vision transformer that normalises queries and keys' },
  { name: /relative_position_bias_table$/, what: 'a network with relative position biases (Swin or BEiT)' },
  { name: /^(visual\.)?(norm_pre|ln_pre)\.|(^|\.)visual\.class_embedding$/, what: 'a CLIP image encoder' },
  { name: /(^|\.)fc_norm\.weight$/, what: 'a vision transformer that averages its tokens, without class token norm' },
  { name: /(^|\/)MAPHead_0\//, what: 'a vision transformer with an attention pooling head (SigLIP)' },
  { name: /\.grn\./, what: 'a ConvNeXt-V2 (it has global response normalisation)' },
  { name: /^(model\.embed_tokens|tok_embeddings)\.weight$/, what: 'a LLaMA language model' },
  { name: /^layer1\.0\.conv1\.weight$/, what: 'a ResNet' },
  {
    name: /^(module\.|model\.)*stem\.0\.weight$|(^|\.)downsample_layers\.0\.0\.weight$|^convnext\.|(^|\.)layer_scale_parameter$/,
    what: 'a ConvNeXt',
    family: 'ConvNeXt',
  },
  {
    name: /(^|\.)patch_embed\.proj\.weight$|embeddings\.patch_embeddings\.projection\.weight$|Transformer\/encoderblock/,
    what: 'a vision transformer',
    family: 'vision transformer',
  },
];

/** Throws a RequestError when a name says that the weights belong to something else than a plain network of `family`. */
export function refuseOtherArchitectures({ location, names }: Weights, family: Family): void {
  const all = [...names];
  for (const sign of signs) {
    if (sign.family === family) continue;
    const telling = all.find((name) => sign.name.test(name));
    if (telling === undefined) continue;
    throw new RequestError(
      `${location} holds ${sign.what}, not a plain ${family}: it has a tensor ${telling}`,
      `Use the weights of a plain ${family}, such as ${examples[family]}.`,
    );
  }
}

const examples: Readonly<Record<Family, string>> = {
  'vision transformer': 'hf-hub:timm/vit_small_patch16_224.augreg_in21k',
  ConvNeXt: 'hf-hub:timm/convnext_tiny.fb_in22k',
};

/** For files whose names fit nothing known. */
export function unknownArchitecture({ location, names }: Weights, family: Family): RequestError {
  const some = [...names].slice(0, 3).join(', ') || 'no tensors at all';
  return new RequestError(
    `${location} does not look like a ${family}: it has ${some}`,
    `Use weights with the names of timm or Hugging Face transformers, such as ${examples[family]}.`,
  );
}
