/** Tells from the names in a file that it holds a network of another kind, and which. */
import { RequestError } from '../../shared/errors.js';
import { imageFamilies } from '../families.js';
import type { ImageFamily } from '../family.js';
import type { Weights } from './formats/weights.js';

type Publisher = Pick<ImageFamily, 'name' | 'title' | 'published'>;

interface Sign {
  readonly name: RegExp;
  /** Another name that must be there, where the first one alone means something else. */
  readonly beside?: RegExp;
  readonly what: string;
}

const signs: readonly Sign[] = [
  {
    name: /(^|\.)norm_pre\.weight$/,
    beside: /(^|\.)stages\.0\.blocks\.0\.conv_dw\.weight$/,
    what: 'a ConvNeXt that normalises before it averages (convnext_tiny_hnf)',
  },
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
  { name: /(^|\.)patch_embed\.norm\./, what: 'a vision transformer that normalises its patches' },
  { name: /(^|\.)(norm_pre|ln_pre)\.|(^|\.)visual\.class_embedding$/, what: 'a CLIP image encoder' },
  { name: /(^|\.)fc_norm\.weight$/, what: 'a vision transformer that averages its tokens, without class token norm' },
  { name: /(^|\/)MAPHead_0\//, what: 'a vision transformer with an attention pooling head (SigLIP)' },
  { name: /\.grn\./, what: 'a ConvNeXt-V2 (it has global response normalisation)' },
  { name: /^(model\.embed_tokens|tok_embeddings)\.weight$/, what: 'a LLaMA language model' },
  { name: /^layer1\.0\.conv1\.weight$/, what: 'a ResNet' },
];

/** Throws a RequestError when a name says that the weights belong to something else than a plain network of `family`. */
export function refuseOtherArchitectures({ location, names }: Weights, family: Publisher): void {
  const all = [...names];
  const otherFamilies = imageFamilies
    .filter(({ name }) => name !== family.name)
    .map(({ title, published }): Sign => ({ name: published.sign, what: `a ${title}` }));
  for (const sign of [...signs, ...otherFamilies]) {
    const telling = all.find((name) => sign.name.test(name));
    if (telling === undefined || !(sign.beside === undefined || all.some((name) => sign.beside!.test(name)))) continue;
    throw new RequestError(
      `${location} holds ${sign.what}, not a plain ${family.title}: it has a tensor ${telling}`,
      `Use the weights of a plain ${family.title}, such as ${family.published.example}.`,
    );
  }
}

/** For files whose names fit nothing known. */
export function unknownArchitecture({ location, names }: Weights, { title, published }: Publisher): RequestError {
  const some = [...names].slice(0, 3).join(', ') || 'no tensors at all';
  return new RequestError(
    `${location} does not look like a ${title}: it has ${some}`,
    `Use weights with the names of timm or Hugging Face transformers, such as ${published.example}.`,
  );
}
