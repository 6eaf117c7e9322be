/**
 * Images as bytes beside the numbers of their views, for programs that crop, mirror and normalise on the device: a quarter
 * of the bytes cross the bus, and no thread of the host resamples. Views are those that the host would show.
 */
import { type RandomView, type View, viewOf } from '../images/augment.js';
import type { Preprocessing, RgbImage } from '../images/preprocessing.js';
import { resample } from '../images/resample.js';

/**
 * Numbers of a view: left, width, top, height in pixels of the square image, of a mirrored one the right edge and the
 * negative width; then the factors of brightness, contrast and saturation.
 */
export const viewNumbers = 7;

/** Writes the whole image, shrunk or enlarged to [crop, crop, 3], into `output`. */
export function writeRawImage(image: RgbImage, { crop, interpolation }: Preprocessing, output: Uint8Array): void {
  const { width, height, pixels } = image;
  if (width === crop && height === crop) {
    output.set(pixels);
    return;
  }
  const resized = new Float32Array(output.length);
  resample(image, { left: 0, top: 0, width, height }, crop, interpolation, false, resized);
  output.set(resized);
}

/** Draws a view of a square image of `crop` pixels and writes its numbers into `output`. */
export function writeView(preprocessing: Preprocessing, view: RandomView | undefined, output: Float32Array): void {
  const { crop } = preprocessing;
  const { window, flip, jitter }: View = viewOf({ width: crop, height: crop }, preprocessing, view);
  const { left, top, width, height } = window;
  const { brightness = 1, contrast = 1, saturation = 1 } = jitter ?? {};
  output.set([flip ? left + width : left, flip ? -width : width, top, height, brightness, contrast, saturation]);
}
