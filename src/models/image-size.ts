/** Variants of a network for images of another size than it was pretrained with. */
import { RequestError } from '../shared/errors.js';

interface Sized {
  readonly name: string;
  /** Side of the square input, pixels. */
  readonly imageSize: number;
}

/**
 * @param key what the user sets the size with
 * @param stride pixels that become one position: the side of a patch, or the product of all strides
 * @throws RequestError for a size that is no multiple of it
 */
export function resized<Variant extends Sized>(
  variant: Variant,
  imageSize: number | undefined,
  stride: number,
  key = 'preprocessing.crop',
): Variant {
  if (imageSize === undefined) return variant;
  if (imageSize % stride !== 0) {
    throw new RequestError(
      `${key}: expected a multiple of the patch size of ${variant.name} (${stride}), received ${imageSize}`,
      `Its own image size is ${variant.imageSize}.`,
    );
  }
  return { ...variant, imageSize };
}
