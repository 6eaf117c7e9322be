/**
 * How a decoded image becomes the input of a network. The same description serves training (with an augmentation) and
 * evaluation (without). Published recipes in these terms, for 224 x 224 input:
 *
 * - VPT, FGVC: resize 256 keepAspect, crop 224, bilinear; training: random crop, flip.
 * - SPT, FGVC: resize 256 squashed, crop 224, bicubic; training: random crop, flip.
 * - VTAB-1k: resize 224 squashed, crop 224; training: no augmentation.
 * - timm evaluation: resize crop / 0.9 keepAspect, crop 224, bicubic.
 * - Pretraining: random resized crop, flip.
 */
export type Interpolation = 'bilinear' | 'bicubic';

export interface Resize {
  /** side in pixels: of the shorter edge when `keepAspect`, else of both */
  readonly size: number;
  readonly keepAspect: boolean;
}

export interface Preprocessing {
  /** left out: images keep their own size */
  readonly resize?: Resize;
  /** side in pixels of the square that reaches the network; central without augmentation */
  readonly crop: number;
  readonly interpolation: Interpolation;
  /** of each channel, for values in [0, 1] */
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

/** Random choices of training; each is drawn anew for every image and epoch. */
export interface Augmentation {
  /** where the crop lies: anywhere, or a window of random area and shape that is resized to the crop */
  readonly crop: 'random' | 'center' | RandomResizedCrop;
  /** mirror left to right with probability 0.5 */
  readonly flip: boolean;
  readonly jitter?: ColourJitter;
}

/** Inception crop, as torchvision's RandomResizedCrop: usual values are scale [0.08, 1] and ratio [3 / 4, 4 / 3]. */
export interface RandomResizedCrop {
  /** share of the image's area */
  readonly scale: readonly [number, number];
  /** width / height */
  readonly ratio: readonly [number, number];
}

/** Each factor is drawn from [1 - x, 1 + x]; 0 changes nothing. */
export interface ColourJitter {
  readonly brightness: number;
  readonly contrast: number;
  readonly saturation: number;
}

/** Normalisation of timm's augreg vision transformers. */
export const inceptionNormalisation = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] } as const;
/** Normalisation of torchvision's and most convolutional ImageNet weights. */
export const imagenetNormalisation = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;

/** Normalisation of OpenAI's CLIP (CLIP/clip/clip.py). */
export const clipNormalisation = {
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
} as const;

export interface Extent {
  readonly width: number;
  readonly height: number;
}

/** A decoded image, rows of red, green, blue bytes: [height, width, 3]. */
export interface RgbImage extends Extent {
  readonly pixels: Uint8Array;
}

/** Size after the resize; with `keepAspect` the longer edge is truncated, as in torchvision's Resize(int). */
export function resizedExtent({ width, height }: Extent, resize: Resize | undefined): Extent {
  if (!resize) return { width, height };
  const { size, keepAspect } = resize;
  if (!keepAspect) return { width: size, height: size };
  const longer = Math.floor((size * Math.max(width, height)) / Math.min(width, height));
  return width <= height ? { width: size, height: longer } : { width: longer, height: size };
}
