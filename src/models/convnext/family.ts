/** ConvNeXts as a family. */
import { clipNormalisation, imagenetNormalisation } from '../../data/images/preprocessing.js';
import type { ImageFamily } from '../family.js';
import { resized } from '../image-size.js';
import { isNamedClip } from '../pretrained/normalisation-names.js';
import { linearRows } from '../tensor-table.js';
import { asConvNeXt, convNeXtArchitecture, familyName } from './architecture.js';
import { convNeXtFlavourOf } from './published.js';
import { convNeXtStride, convNeXtVariants } from './variants.js';

export const convNeXt: ImageFamily = {
  name: familyName,
  title: 'ConvNeXt',
  architectures: convNeXtVariants.map(({ name }) => name),
  architecture: (name, imageSize, key) => {
    const variant = convNeXtVariants.find((each) => each.name === name)!;
    return convNeXtArchitecture(resized(variant, imageSize, convNeXtStride, key));
  },
  headRows: (features, classes) => linearRows('', 'head.fc', features, classes),
  published: {
    example: 'hf-hub:timm/convnext_tiny.fb_in22k',
    sign: /(^|\.)stem\.0\.weight$|(^|\.)downsample_layers\.0\.0\.weight$|(^|\.)convnext\.|(^|\.)layer_scale_parameter$/,
    flavourOf: (weights, architecture) => convNeXtFlavourOf(weights, asConvNeXt(architecture).variant),
    // All who publish ConvNeXts normalise as ImageNet, but for CLIP; `in21k` of a folder tells of vision transformers alone.
    normalisationOf: (origin) => (isNamedClip(origin) ? clipNormalisation : imagenetNormalisation),
  },
  network: async () => (await import('./network.js')).convNeXtNetwork,
};
