/**
 * Images as bytes beside the numbers of their views, for programs that crop, mirror and normalise on the device: a quarter
 * of the bytes cross the bus, and no thread of the host resamples. Views are those that the host would show.
 */
import { type RandomView, viewOf } from '../images/augment.js';
import type { Extent, Preprocessing, RgbImage } from '../images/preprocessing.js';
import { resample } from '../images/resample.js';

/**
 * Numbers of a view: left, width, top, height in pixels of the square image, of a mirrored one the right edge and the
 * negative width; then the factors of brightness, contrast and saturation.
 */
export const viewNumbers = 7;

/** Writes the whole image, shrunk or enlarged to [crop, crop, 3], into `output`. */
export function writeRawImage(image: RgbImage, { crop, interpolation }: Preprocessing, output: Uint8Array): void {
  const { width, height } = image;
  resample(image, { left: 0, top: 0, width, height }, crop, interpolation, false, output);
}

/**
 * Draws the view of an image that the host would show, and writes its numbers, in pixels of the square that
 * `writeRawImage` makes of it, into `output`.
 */
export function writeView(
  image: Extent,
  preprocessing: Preprocessing,
  view: RandomView | undefined,
  output: Float32Array,
): void {
  const { window, flip, jitter } = viewOf(image, preprocessing, view);
  const [scaleX, scaleY] = [preprocessing.crop / image.width, preprocessing.crop / image.height];
  const [left, width] = [window.left * scaleX, window.width * scaleX];
  const [top, height] = [window.top * scaleY, window.height * scaleY];
  const { brightness = 1, contrast = 1, saturation = 1 } = jitter ?? {};
  output.set([flip ? left + width : left, flip ? -width : width, top, height, brightness, contrast, saturation]);
}
