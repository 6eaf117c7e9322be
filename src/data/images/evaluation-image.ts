/**
 * One image file as a network sees it in evaluation: torchvision's Resize, CenterCrop and Normalize on Pillow's images.
 *
 * The result is theirs bit by bit. Measured on photographs of flowers (30 JPEGs of 224 x 224 enlarged to 248 and 256; 12 of
 * about 450 to 670 pixels shrunk; Pillow 12.3, torchvision 0.28, bicubic), mean and largest difference of a channel in
 * steps of 1 / 255:
 *
 *     decoding alone (sharp's libjpeg-turbo)                       0      0
 *     decoded at full size, then our resampling (this file)        0      0
 *     shrunk by sharp, cubic (what batches do: faster)             0.20   6
 *     shrunk by sharp, lanczos2 / lanczos3 / mitchell / linear     0.23 / 0.87 / 1.2 / 1.5    6 / 23 / 23 / 29
 *     enlarged by sharp, any kernel                                6.5    134
 *
 * Of mosaics of such photographs, shrunk by far: 667 x 401 to 72 pixels 0.56 and 3; 4005 x 3003 to 256 pixels 0.88 and 12,
 * to 72 pixels 1.6 and 12.
 *
 * So batches shrink with the cubic kernel, and leave enlarging to our resampling.
 */
import { type Float32NdArray, float32 } from '../../shared/arrays.js';
import { prepareImage } from './augment.js';
import { decodeImage } from './decode.js';
import type { Preprocessing } from './preprocessing.js';

/** @returns [1, crop, crop, 3], normalised */
export async function prepareEvaluationImage(file: string, preprocessing: Preprocessing): Promise<Float32NdArray> {
  const { crop, interpolation } = preprocessing;
  // Decoded at full size: the one resampling is then ours, which has Pillow's filters.
  const image = await decodeImage(file, { interpolation });
  const output = new Float32Array(crop * crop * 3);
  prepareImage(image, preprocessing, undefined, output);
  return float32([1, crop, crop, 3], output);
}
