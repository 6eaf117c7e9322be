/**
 * The vision transformers this project knows by name: plain ViTs as timm defines them (timm/models/vision_transformer.py:
 * pre-norm, learned position embedding, class token, exact GELU, LayerNorm epsilon 1e-6).
 */
import { inceptionNormalisation, type Preprocessing } from '../../data/images/preprocessing.js';
import { nearest, RequestError } from '../../shared/errors.js';

export interface ViTVariant {
  readonly name: string;
  /** Embedding width D. */
  readonly width: number;
  /** Number of blocks. */
  readonly depth: number;
  readonly heads: number;
  /** Hidden width of the MLP as a multiple of `width`. */
  readonly mlpRatio: number;
  /** Side of a square patch, pixels. */
  readonly patchSize: number;
  /** Side of the square input, pixels. */
  readonly imageSize: number;
  /** Classes of the pretrained head. */
  readonly classes: number;
}

/** Tokens that run through the blocks: the patches and the class token. */
export function tokensOf(variant: Pick<ViTVariant, 'imageSize' | 'patchSize'>): number {
  return (variant.imageSize / variant.patchSize) ** 2 + 1;
}

export const layerNormEpsilon = 1e-6;

const vit = (name: string, width: number, heads: number): ViTVariant => ({
  name,
  width,
  depth: 12,
  heads,
  mlpRatio: 4,
  patchSize: 16,
  imageSize: 224,
  classes: 21843,
});

const miniPatchSize = 8;

/** Tells the embedded family. */
export function isMini({ patchSize }: Pick<ViTVariant, 'patchSize'>): boolean {
  return patchSize === miniPatchSize;
}

/**
 * The embedded family: head width 16 and 64 x 64 images in patches of 8, deep as its big sisters (12 blocks). Shallow ones
 * have no pretrained weights: they try out a set-up, and test this program, in a third of the time.
 */
const mini = (name: string, width: number, depth = 12): ViTVariant => ({
  name,
  width,
  depth,
  heads: width / 16,
  mlpRatio: 4,
  patchSize: miniPatchSize,
  imageSize: 64,
  classes: 202,
});

/**
 * How images are prepared for evaluation. timm's augreg weights: shorter edge to floor(224 / 0.9) = 248, central crop,
 * bicubic, normalised by 0.5 and not by ImageNet's values. The embedded family: the whole image, bilinear, as pretrained.
 */
export function vitPreprocessing({ imageSize, patchSize }: Pick<ViTVariant, 'imageSize' | 'patchSize'>): Preprocessing {
  const embedded = isMini({ patchSize });
  return {
    resize: { size: embedded ? imageSize : Math.floor(imageSize / 0.9), keepAspect: !embedded },
    crop: imageSize,
    interpolation: embedded ? 'bilinear' : 'bicubic',
    ...inceptionNormalisation,
  };
}

const variants: readonly ViTVariant[] = [
  vit('vit_tiny_patch16_224', 192, 3),
  vit('vit_small_patch16_224', 384, 6),
  vit('vit_base_patch16_224', 768, 12),
  mini('vit_mini_tiny', 32),
  mini('vit_mini_small', 64),
  mini('vit_mini_base', 128),
  mini('vit_mini_tiny_depth4', 32, 4),
  mini('vit_mini_small_depth4', 64, 4),
];

export const variantNames: readonly string[] = variants.map(({ name }) => name);

/** The variant of that name (a timm tag after a dot is ignored); throws a RequestError that lists the known ones. */
export function variantNamed(name: string): ViTVariant {
  const base = name.replace(/\..*$/, '').replace(/_in21k$/, '');
  const found = variants.find((variant) => variant.name === base);
  if (found) return found;
  const near = nearest(base, variantNames);
  throw new RequestError(
    `architecture ${JSON.stringify(name)} is not known${near ? `; did you mean ${near}?` : ''}`,
    `Known architectures: ${variantNames.join(', ')}.`,
  );
}
