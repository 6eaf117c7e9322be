/**
 * Image files to 8-bit RGB, by sharp.
 *
 * EXIF orientation is applied; grayscale, CMYK and 16-bit images become 8-bit sRGB; transparency is laid on white (an
 * opaque alpha channel changes nothing); of an animation the first frame counts. The content decides about the format,
 * not the extension. A file that cannot be decoded completely is an error: nothing is skipped or filled up silently.
 */
import { readFile } from 'node:fs/promises';
import sharp from 'sharp';
import { messageOf, RequestError } from '../../shared/errors.js';
import { type Extent, type Interpolation, type Resize, resizedExtent } from './preprocessing.js';

// libvips would remember decoded images, which only costs memory here.
sharp.cache(false);

/** Rows of red, green, blue bytes: [height, width, 3]. */
export interface RgbImage extends Extent {
  readonly pixels: Uint8Array;
}

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
    const pipeline = sharp(bytes, { failOn: 'error' })
      .autoOrient()
      .flatten({ background: 'white' })
      .toColourspace('srgb');
    if (resize) {
      const { width, height } = shrunkExtent((await sharp(bytes).metadata()).autoOrient, resize);
      const kernel = interpolation === 'bicubic' ? sharp.kernel.cubic : sharp.kernel.linear;
      // shrink-on-load of JPEG would be faster, but blurrier than the resizing of the reference implementations
      pipeline.resize({ width, height, fit: 'fill', kernel, fastShrinkOnLoad: false });
    }
    const { data, info } = await pipeline.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, pixels: data };
  } catch (error) {
    throw new RequestError(
      `image ${file} cannot be decoded: ${messageOf(error).split('\n')[0]}; expected a complete JPEG, PNG or WebP file`,
      'Restore the file from its source, or remove it from the data set.',
    );
  }
}

function shrunkExtent(source: Extent, resize: Resize): Extent {
  const resized = resizedExtent(source, resize);
  return resized.width * resized.height < source.width * source.height ? resized : source;
}

async function readImageFile(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new RequestError(
      `image ${file} cannot be read: ${messageOf(error)}`,
      'Check the path and its permissions; the data set may have been moved since it was listed.',
    );
  }
}
