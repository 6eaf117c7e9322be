/**
 * The ConvNeXts this project knows by name (Liu et al. 2022), as timm defines them (timm/models/convnext.py): four stages,
 * exact GELU, layer scale, weights pretrained on ImageNet-22k (21841 classes, two fewer than the vision transformers').
 */
import { imagenetNormalisation, type Preprocessing } from '../../data/images/preprocessing.js';

type Stages = readonly [number, number, number, number];

export interface ConvNeXtVariant {
  readonly name: string;
  /** Blocks of each stage. */
  readonly depths: Stages;
  /** Channels of each stage. */
  readonly dims: Stages;
  /** Side of the square input, pixels. */
  readonly imageSize: number;
  /** Classes of the pretrained head. */
  readonly classes: number;
}

/** Epsilon of every LayerNorm, the last one included. */
export const convNeXtNormEpsilon = 1e-6;

/** Hidden channels of a block's MLP as a multiple of its channels. */
export const convNeXtMlpRatio = 4;

/** Side of the filters of a block, pixels. */
export const depthwiseSide = 7;
/** Side of the patches that the stem reads, pixels. */
export const stemPatchSide = 4;
/** Side of the patches that become one pixel between two stages. */
export const downsamplingSide = 2;

/** Pixels of the input that become one pixel of the last stage: 4 by the stem, 2 by each of three downsamplings. */
export const convNeXtStride = stemPatchSide * downsamplingSide ** 3;

/** Layer scale of fresh networks. */
export const initialLayerScale = 1e-6;

/** The blocks of all stages, one stage after the other: their stage, and their number in it. */
export function blocksOf({
  depths,
}: Pick<ConvNeXtVariant, 'depths'>): { stage: number; index: number; isFirst: boolean }[] {
  return depths.flatMap((depth, stage) =>
    Array.from({ length: depth }, (_, index) => ({ stage, index, isFirst: index === 0 })),
  );
}

/** timm's evaluation of these weights: shorter edge to floor(imageSize / 0.875), 256 for 224; central crop, bicubic. */
export function convNeXtPreprocessing({ imageSize }: Pick<ConvNeXtVariant, 'imageSize'>): Preprocessing {
  return {
    resize: { size: Math.floor(imageSize / 0.875), keepAspect: true },
    crop: imageSize,
    interpolation: 'bicubic',
    ...imagenetNormalisation,
  };
}

const convNeXt = (name: string, depths: Stages, dims: Stages): ConvNeXtVariant => ({
  name,
  depths,
  dims,
  imageSize: 224,
  classes: 21841,
});

/** The embedded family: a third of the blocks of its big sisters and less than a fifth of their channels, 64 x 64 images. */
const mini = (name: string, depths: Stages, dims: Stages): ConvNeXtVariant => ({
  ...convNeXt(name, depths, dims),
  imageSize: 64,
  classes: 202,
});

export const convNeXtVariants: readonly ConvNeXtVariant[] = [
  convNeXt('convnext_tiny', [3, 3, 9, 3], [96, 192, 384, 768]),
  convNeXt('convnext_small', [3, 3, 27, 3], [96, 192, 384, 768]),
  convNeXt('convnext_base', [3, 3, 27, 3], [128, 256, 512, 1024]),
  mini('convnext_mini_tiny', [1, 1, 3, 1], [16, 32, 64, 128]),
  mini('convnext_mini_small', [1, 1, 9, 1], [16, 32, 64, 128]),
  mini('convnext_mini_base', [1, 1, 9, 1], [24, 48, 96, 192]),
];
