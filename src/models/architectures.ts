/** Every architecture this project knows by name, as data. */
import { nearest, RequestError } from '../shared/errors.js';
import type { AdaptedLayers, Architecture, BlockShape } from './architecture.js';
import { convNeXtBlockCost, convNeXtNormCost, convNeXtStemCost, downsamplingCost, pixelsOf } from './convnext/cost.js';
import {
  type ConvNeXtVariant,
  convNeXtMlpRatio,
  convNeXtPreprocessing,
  convNeXtVariantNamed,
  convNeXtVariantNames,
  downsamplingSide,
  stemPatchSide,
} from './convnext/variants.js';
import {
  layerNormFlops,
  layerNormParams,
  vitBlockFlops,
  vitBlockParams,
  vitEmbeddingFlops,
  vitEmbeddingParams,
} from './cost.js';
import { tokensOf, type ViTVariant, variantNamed, variantNames, vitPreprocessing } from './vit/variants.js';

export const architectureNames: readonly string[] = [...variantNames, ...convNeXtVariantNames];

/**
 * @param name as timm has it; a tag after a dot is ignored
 * @param imageSize side of the square input in pixels, default the one it was pretrained with
 * @throws RequestError for an unknown name, or a size that the network cannot divide into patches
 */
export function architectureNamed(name: string, imageSize?: number): Architecture {
  const base = name.replace(/\..*$/, '').replace(/_in2[12]k$/, '');
  if (convNeXtVariantNames.includes(base)) {
    const variant = convNeXtVariantNamed(base);
    // The last stage has imageSize / 32 pixels a side.
    const stride = stemPatchSide * downsamplingSide ** (variant.depths.length - 1);
    return convNeXtArchitecture(resized(variant, imageSize, stride));
  }
  if (variantNames.includes(base)) {
    const variant = variantNamed(base);
    return vitArchitecture(resized(variant, imageSize, variant.patchSize));
  }
  const near = nearest(base, architectureNames);
  throw new RequestError(
    `architecture ${JSON.stringify(name)} is not known${near ? `; did you mean ${near}?` : ''}`,
    `Known architectures: ${architectureNames.join(', ')}.`,
  );
}

export function vitArchitecture(variant: ViTVariant): Architecture {
  const { name, imageSize, classes, width, depth } = variant;
  const positions = tokensOf(variant);
  const block: BlockShape = {
    stage: 0,
    width,
    positions,
    adapted: [{ name: 'attention', layers: ['query', 'key', 'value'], from: width, to: width }],
    flops: vitBlockFlops(variant),
    params: vitBlockParams(variant),
  };
  return {
    family: 'vit',
    variant,
    name,
    imageSize,
    classes,
    preprocessing: vitPreprocessing(variant),
    embedding: { flops: vitEmbeddingFlops(variant), params: vitEmbeddingParams(variant) },
    blocks: Array.from({ length: depth }, () => block),
    // Counted on all tokens, as timm computes it; only the class token is needed.
    norm: { flops: layerNormFlops(positions, width), params: layerNormParams(width) },
  };
}

export function convNeXtArchitecture(variant: ConvNeXtVariant): Architecture {
  const { name, imageSize, classes, depths, dims } = variant;
  return {
    family: 'convnext',
    variant,
    name,
    imageSize,
    classes,
    preprocessing: convNeXtPreprocessing(variant),
    embedding: convNeXtStemCost(variant),
    blocks: depths.flatMap((depth, stage) => {
      const width = dims[stage]!;
      const hidden = convNeXtMlpRatio * width;
      const adapted: AdaptedLayers[] = [
        { name: 'expand', layers: ['expand'], from: width, to: hidden },
        { name: 'contract', layers: ['contract'], from: hidden, to: width },
      ];
      const block = {
        stage,
        width,
        positions: pixelsOf(variant, stage),
        adapted,
        ...convNeXtBlockCost(variant, stage),
      };
      return Array.from({ length: depth }, (_, index) =>
        index === 0 && stage > 0 ? { ...block, entry: downsamplingCost(variant, stage) } : block,
      );
    }),
    norm: convNeXtNormCost(variant),
  };
}

/** The variant for images of another size. */
function resized<Variant extends { readonly name: string; readonly imageSize: number }>(
  variant: Variant,
  imageSize = variant.imageSize,
  patchSize: number,
): Variant {
  if (imageSize % patchSize !== 0) {
    throw new RequestError(
      `preprocessing.crop: expected a multiple of the patch size of ${variant.name} (${patchSize}), received ${imageSize}`,
      `Its own image size is ${variant.imageSize}.`,
    );
  }
  return { ...variant, imageSize };
}
