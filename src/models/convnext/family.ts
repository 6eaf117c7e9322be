/** ConvNeXts as a family. */
import { clipNormalisation, imagenetNormalisation } from '../../data/images/preprocessing.js';
import type { ImageFamily } from '../family.js';
import { resized } from '../image-size.js';
import { isNamedClip } from '../pretrained/normalisation-names.js';
import { linearRows } from '../tensor-table.js';
import { asConvNeXt, convNeXtArchitecture, familyName } from './architecture.js';
import { convNeXtFlavourOf } from './published.js';
import { convNeXtStride, convNeXtVariantNamed, convNeXtVariantNames } from './variants.js';

export const convNeXt: ImageFamily = {
  name: familyName,
  title: 'ConvNeXt',
  architectures: convNeXtVariantNames,
  architecture: (name, imageSize, key) =>
    convNeXtArchitecture(resized(convNeXtVariantNamed(name), imageSize, convNeXtStride, key)),
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
