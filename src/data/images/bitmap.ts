/**
 * Windows bitmaps, which libvips as sharp ships it does not read. Of bmp-ts those forms are used whose pixels were
 * compared with Pillow's and are equal: 1, 8, 24 and 32 bits a pixel, not compressed. It misreads odd rows of 4 bits, and
 * run lengths, so those are refused.
 */
import { decode } from 'bmp-ts';
import type { RgbImage } from './preprocessing.js';

const readBits = [1, 8, 24, 32];

/** Whether the file begins as bitmaps do. */
export function isBitmap(bytes: Buffer): boolean {
  return bytes.toString('latin1', 0, 2) === 'BM';
}

/** @throws Error for a bitmap that is damaged, truncated, compressed or of other depth; nothing is filled up silently */
export function decodeBitmap(bytes: Buffer): RgbImage {
  if (bytes.length < 54) throw new Error('a bitmap of less than 54 bytes');
  const [offset, width, height] = [bytes.readUInt32LE(10), bytes.readInt32LE(18), Math.abs(bytes.readInt32LE(22))];
  const [bits, compression] = [bytes.readUInt16LE(28), bytes.readUInt32LE(30)];
  // 3: masks of 16 or 32 bits, which are not run lengths
  if (!readBits.includes(bits) || (compression !== 0 && compression !== 3)) {
    throw new Error(
      `a bitmap of ${bits} bits a pixel, compression ${compression}; read are ${readBits.join(', ')} bits without compression`,
    );
  }
  const needed = offset + Math.ceil((width * bits) / 32) * 4 * height;
  if (width <= 0 || height === 0 || bytes.length < needed) {
    throw new Error(`a bitmap of ${width} x ${height} pixels takes ${needed} bytes, the file has ${bytes.length}`);
  }
  const { data } = decode(bytes); // alpha, blue, green, red
  const pixels = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < pixels.length; from += 4, to += 3) {
    pixels[to] = data[from + 3]!;
    pixels[to + 1] = data[from + 2]!;
    pixels[to + 2] = data[from + 1]!;
  }
  return { width, height, pixels };
}
