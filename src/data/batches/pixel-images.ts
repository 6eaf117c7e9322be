/**
 * The images of a batch as an engine gets them: normalised, or as the bytes that they were before. The host crops, resizes and
 * mirrors either; bytes are a quarter of what would cross a bus, and a program of the engine normalises them.
 */
import type { Float32NdArray, Uint8NdArray } from '../../shared/arrays.js';
import type { Preprocessing } from '../images/preprocessing.js';

export interface PixelImages extends Pick<Preprocessing, 'mean' | 'std'> {
  /** [batch, crop, crop, 3] */
  readonly pixels: Uint8NdArray;
  /** Factors of brightness, contrast and saturation [batch, 3]; left out: colours stay. */
  readonly factors?: Float32NdArray;
}

/** Of a batch: [batch, crop, crop, 3] normalised, or bytes. */
export type BatchImages = Float32NdArray | PixelImages;

/** How many numbers of `PixelImages.factors` an image has. */
export const factorNumbers = 3;

/** `count` images from the one at `from` on; where there are no more, black ones or zeros. */
export function imagesFrom(images: BatchImages, from: number, count: number): BatchImages {
  if (!('pixels' in images)) return { ...images, ...rowsFrom(images, from, count, Float32Array) };
  const { pixels, factors } = images;
  return {
    ...images,
    pixels: { ...pixels, ...rowsFrom(pixels, from, count, Uint8Array) },
    ...(factors && { factors: { ...factors, ...rowsFrom(factors, from, count, Float32Array) } }),
  };
}

function rowsFrom<Data extends Float32Array | Uint8Array>(
  { shape: [rows, ...shape], data }: { readonly shape: readonly number[]; readonly data: Data },
  from: number,
  count: number,
  Of: new (length: number) => Data,
): { readonly shape: readonly number[]; readonly data: Data } {
  const length = data.length / rows!;
  const part = new Of(count * length);
  part.set(data.subarray(from * length, (from + count) * length));
  return { shape: [count, ...shape], data: part };
}
