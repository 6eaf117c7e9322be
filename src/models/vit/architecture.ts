/** A vision transformer as data. */
import type { Architecture, BlockShape } from '../architecture.js';
import { paramsAt } from '../tensor-table.js';
import { viTBlockFlops, viTEmbeddingFlops, viTNormFlops } from './cost.js';
import { viTTensors } from './tensors.js';
import { tokensOf, type ViTVariant, vitPreprocessing } from './variants.js';

export const familyName = 'vit';

export interface ViTArchitecture extends Architecture {
  readonly family: typeof familyName;
  readonly variant: ViTVariant;
}

/** Throws an Error for a network of another family. */
export function asViT(architecture: Architecture): ViTArchitecture {
  if (!isViT(architecture)) throw new Error(`${architecture.name} is no vision transformer`);
  return architecture;
}

function isViT(architecture: Architecture): architecture is ViTArchitecture {
  return architecture.family === familyName;
}

export function viTArchitecture(variant: ViTVariant): ViTArchitecture {
  const { name, imageSize, classes, width, depth } = variant;
  const positions = tokensOf(variant);
  const tensors = viTTensors(variant);
  const block: BlockShape = {
    stage: 0,
    width,
    positions,
    adapted: [{ name: 'attention', layers: ['query', 'key', 'value'], from: width, to: width }],
    flops: viTBlockFlops(variant),
    params: paramsAt(tensors, { part: 'block', block: 0 }),
  };
  return {
    family: familyName,
    variant,
    name,
    input: {
      kind: 'images',
      side: imageSize,
      preprocessing: vitPreprocessing(variant),
      patches: positions - 1,
    },
    classes,
    embedding: { flops: viTEmbeddingFlops(variant), params: paramsAt(tensors, { part: 'embedding' }) },
    blocks: Array.from({ length: depth }, () => block),
    norm: { flops: viTNormFlops(variant), params: paramsAt(tensors, { part: 'norm' }) },
    tensors,
  };
}
