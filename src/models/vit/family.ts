/** Vision transformers as a family. */
import type { ImageFamily } from '../family.js';
import { resized } from '../image-size.js';
import { linearRows } from '../tensor-table.js';
import { asViT, familyName, viTArchitecture } from './architecture.js';
import { viTFlavourOf, viTNormalisationOf } from './published.js';
import { variantNamed, variantNames } from './variants.js';

export const viT: ImageFamily = {
  name: familyName,
  title: 'vision transformer',
  architectures: variantNames,
  architecture: (name, imageSize, key) => {
    const variant = variantNamed(name);
    return viTArchitecture(resized(variant, imageSize, variant.patchSize, key));
  },
  headRows: (features, classes) => linearRows('', 'head', features, classes),
  published: {
    example: 'hf-hub:timm/vit_small_patch16_224.augreg_in21k',
    sign: /(^|\.)patch_embed\.proj\.weight$|embeddings\.patch_embeddings\.projection\.weight$|Transformer\/encoderblock/,
    flavourOf: (weights, architecture) => viTFlavourOf(weights, asViT(architecture).variant),
    normalisationOf: (origin, weights, architecture) =>
      viTNormalisationOf(origin, weights, asViT(architecture).variant),
  },
  network: async () => (await import('./network.js')).viTNetwork,
};
