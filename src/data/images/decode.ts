/**
 * Image files to 8-bit RGB, by sharp (bitmaps: by bmp-ts), with the pixels of Pillow's `Image.open(file).convert('RGB')`,
 * which is how torchvision and timm read images: colour profiles are not applied, CMYK is converted without one, an
 * alpha channel is dropped, greyscale and palettes become three channels, of an animation the first frame counts.
 *
 * Two deviations: EXIF orientation is applied, as Pillow's `exif_transpose` does; and 16-bit greyscale is scaled to 8
 * bits, where Pillow cuts all above 255 off. The content decides about the format, not the extension. A file that cannot
 * be decoded completely is an error: nothing is skipped or filled up silently.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { isExpected, messageOf, RequestError } from '../../shared/errors.js';
import { imageFormats } from '../image-files.js';
import { decodeBitmap, isBitmap } from './bitmap.js';
import { type Extent, type Interpolation, type Resize, type RgbImage, resizedExtent } from './preprocessing.js';

// libvips would remember decoded images, which only costs memory here.
sharp.cache(false);

/** What `decodeImage` needs of a preprocessing. */
export interface Decoding {
  readonly resize?: Resize;
  readonly interpolation: Interpolation;
}

/**
 * Decodes a file and shrinks it to its resized extent. An image that the resize would enlarge keeps its own size: the
 * crop enlarges it later, and until then it needs less memory.
 * @throws RequestError that names the file, when it is missing, damaged or not an image
 */
export async function decodeImage(file: string, { resize, interpolation }: Decoding): Promise<RgbImage> {
  const bytes = await readImageFile(file);
  try {
    if (isBitmap(bytes)) {
      const bitmap = decodeBitmap(bytes);
      if (!resize || isShrunk(bitmap, resize)) return bitmap;
    }
    const { pipeline, extent } = await rgbPipeline(bytes);
    if (resize) {
      const { width, height } = shrunkExtent(extent, resize);
      const kernel = interpolation === 'bicubic' ? sharp.kernel.cubic : sharp.kernel.linear;
      if (!dividesWell(extent)) pipeline.extract({ left: 0, top: 0, ...extent });
      // more of the shrinking by libjpeg would be faster, but blurrier than the resizing of the reference implementations
      pipeline.resize({ width, height, fit: 'fill', kernel, fastShrinkOnLoad: false });
    }
    return await pixelsOf(pipeline);
  } catch (error) {
    throw undecodable(file, messageOf(error));
  }
}

/** An image, or what is wrong with its file: `hint` as in shared/errors. */
export type Decoded = RgbImage | { readonly problem: string; readonly hint: string | undefined };

/** As `decodeImage`, for a list of files of which a broken one must not hide the others. */
export async function decodedOrProblem(file: string, decoding: Decoding): Promise<Decoded> {
  try {
    return await decodeImage(file, decoding);
  } catch (error) {
    if (!isExpected(error)) throw error;
    return { problem: error.message, hint: error.hint };
  }
}

/** @param reason of sharp, whose first line says it */
function undecodable(file: string, reason: string): RequestError {
  if (reason.includes('exceeds pixel limit')) {
    return new RequestError(
      `image ${file} has more pixels than are read, 268 million (16383 x 16383)`,
      'Save a smaller copy of it in its place: networks see it shrunk anyway.',
    );
  }
  return new RequestError(
    `image ${file} cannot be decoded: ${reason.split('\n')[0]}; expected a complete file (${imageFormats.join(', ')})`,
    'Restore the file from its source, or leave it out.',
  );
}

const asPillow = { failOn: 'error', ignoreIcc: true } as const;

/** The image at its own size in RGB, still to be decoded where sharp's own conversion gives Pillow's pixels. */
async function rgbPipeline(bytes: Buffer): Promise<{ pipeline: Sharp; extent: Extent }> {
  if (isBitmap(bytes)) return ofPixels(decodeBitmap(bytes));
  const { space, hasAlpha, autoOrient: extent } = await sharp(bytes, asPillow).metadata();
  const image = sharp(bytes, asPillow).autoOrient();
  if (space === 'cmyk') return ofPixels(await cmykToRgb(image));
  const rgb = image.toColourspace('srgb');
  // sharp would weight colours by alpha where it resizes, so the channel goes before
  return hasAlpha ? ofPixels(await pixelsOf(rgb.removeAlpha())) : { pipeline: rgb, extent };
}

/**
 * Whether libjpeg may shrink the image by 2, 4 or 8 while it decodes, as sharp has it do from a fourfold shrink on. It
 * rounds sizes up, which sharp takes for whole: the picture would lie stretched by up to 7 pixels. A cut beforehand, of
 * nothing, makes sharp decode all pixels.
 */
function dividesWell({ width, height }: Extent): boolean {
  return width % 8 === 0 && height % 8 === 0;
}

function ofPixels({ width, height, pixels }: RgbImage): { pipeline: Sharp; extent: Extent } {
  return { pipeline: sharp(pixels, { raw: { width, height, channels: 3 } }), extent: { width, height } };
}

async function pixelsOf(pipeline: Sharp): Promise<RgbImage> {
  const { data, info } = await pipeline.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, pixels: data };
}

/** Pillow's cmyk2rgb (libImaging/Convert.c): 255 - k - c (255 - k) / 255, rounded. */
async function cmykToRgb(image: Sharp): Promise<RgbImage> {
  const raw = image.pipelineColourspace('cmyk').toColourspace('cmyk').raw({ depth: 'uchar' });
  const { data, info } = await raw.toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const pixels = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; to < pixels.length; from += channels, to += 3) {
    const white = 255 - data[from + 3]!;
    for (let channel = 0; channel < 3; channel++) {
      pixels[to + channel] = white - Math.round((data[from + channel]! * white) / 255);
    }
  }
  return { width, height, pixels };
}

/** Whether the image is no larger than the resize makes it. */
function isShrunk(image: Extent, resize: Resize): boolean {
  const { width, height } = shrunkExtent(image, resize);
  return image.width === width && image.height === height;
}

function shrunkExtent(source: Extent, resize: Resize): Extent {
  const resized = resizedExtent(source, resize);
  return resized.width * resized.height < source.width * source.height ? resized : source;
}

async function readImageFile(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EISDIR') {
      throw new RequestError(`${file} is a folder, not an image`, `Name the images in it: ${path.join(file, '*.jpg')}`);
    }
    throw new RequestError(`image ${file} cannot be read: ${messageOf(error)}`, 'Check the path and its permissions.');
  }
}
