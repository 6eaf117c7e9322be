/** Decoded images as files that any program reads. */
import sharp from 'sharp';
import type { RgbImage } from './preprocessing.js';

export async function encodePng({ width, height, pixels }: RgbImage): Promise<Buffer> {
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}
