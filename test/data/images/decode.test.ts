import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import sharp, { type Sharp } from 'sharp';
import { imageFormats } from '../../../src/data/image-files.js';
import { decodeImage } from '../../../src/data/images/decode.js';
import { resample } from '../../../src/data/images/resample.js';
import { RequestError } from '../../../src/shared/errors.js';
import { fixture } from '../../fixture.js';

let folder: string;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'decode-'));
});
after(() => rm(folder, { recursive: true }));

const own = { interpolation: 'bilinear' } as const;
const pixelAt = (pixels: Uint8Array, index: number) => [...pixels.subarray(index * 3, index * 3 + 3)];

/** 4 x 2 pixels: the left half orange, the right half blue. */
function halves(): Sharp {
  const [orange, blue] = [
    [240, 120, 30],
    [20, 60, 200],
  ] as const;
  const row = [...orange, ...orange, ...blue, ...blue];
  return sharp(Buffer.from([...row, ...row]), { raw: { width: 4, height: 2, channels: 3 } });
}

async function saved(name: string, image: Sharp): Promise<string> {
  const file = path.join(folder, name);
  await image.toFile(file);
  return file;
}

function assertNear(actual: number[], expected: number[], tolerance: number): void {
  for (const [index, value] of actual.entries()) {
    assert.ok(Math.abs(value - expected[index]!) <= tolerance, `${value} at ${index} is not near ${expected[index]}`);
  }
}

test('8-bit PNG is read exactly, whatever its extension says', async () => {
  const file = path.join(folder, 'really-a-png.jpg');
  await writeFile(file, await halves().png().toBuffer());
  const { width, height, pixels } = await decodeImage(file, own);
  assert.deepEqual([width, height, pixels.length], [4, 2, 24]);
  assert.deepEqual(pixelAt(pixels, 0), [240, 120, 30]);
  assert.deepEqual(pixelAt(pixels, 7), [20, 60, 200]);
});

test('every format that the messages name is decoded', async () => {
  // sharp writes no bitmaps; those are read below.
  for (const format of imageFormats.filter((name) => name !== 'BMP')) {
    const file = path.join(folder, `image-of-${format}`);
    await halves()
      .toFormat(format.toLowerCase() as 'png')
      .toFile(file);
    const { width, height } = await decodeImage(file, own);
    assert.deepEqual([width, height], [4, 2], format);
  }
});

test('EXIF orientation is applied', async () => {
  // orientation 6: the stored top row is the right-hand column of the picture
  const file = await saved('turned.png', halves().withMetadata({ orientation: 6 }));
  const { width, height, pixels } = await decodeImage(file, own);
  assert.deepEqual([width, height], [2, 4]);
  assert.deepEqual(pixelAt(pixels, 0), [240, 120, 30]);
  assert.deepEqual(pixelAt(pixels, 7), [20, 60, 200]);
});

test('grayscale becomes three equal channels', async () => {
  const grey = sharp(Buffer.from([0, 50, 100, 255]), { raw: { width: 2, height: 2, channels: 1 } });
  const { pixels } = await decodeImage(await saved('grey.png', grey.toColourspace('b-w').png()), own);
  assert.deepEqual([...pixels], [0, 0, 0, 50, 50, 50, 100, 100, 100, 255, 255, 255]);
});

test('16 bits become 8', async () => {
  for (const [name, space] of [
    ['deep.png', 'rgb16'],
    ['deep-grey.png', 'grey16'],
  ] as const) {
    const file = await saved(name, halves().toColourspace(space).png());
    assert.equal((await sharp(file).metadata()).depth, 'ushort');
    const { pixels } = await decodeImage(file, own);
    assert.equal(pixels.length, 24);
    if (space === 'rgb16') assertNear(pixelAt(pixels, 0), [240, 120, 30], 1);
    else assert.ok(pixels[0]! > 100 && pixels[0]! < 200);
  }
});

/** Small files and the pixels that Pillow reads from them (test/fixtures/make-images.py). */
interface PillowImages {
  readonly width: number;
  readonly height: number;
  readonly images: readonly { readonly name: string; readonly file: string; readonly pixels: string }[];
}

test('colour profiles, CMYK, alpha, palettes and bitmaps are read as Pillow reads them', async () => {
  const { width, height, images } = JSON.parse(await readFile(fixture('images.json'), 'utf8')) as PillowImages;
  assert.equal(images.length, 22);
  for (const { name, file, pixels } of images.filter(
    (image) => !['turned.jpg', 'deep-grey.png'].includes(image.name),
  )) {
    await writeFile(path.join(folder, name), Buffer.from(file, 'base64'));
    const image = await decodeImage(path.join(folder, name), own);
    assert.deepEqual([image.width, image.height], [width, height], name);
    assert.deepEqual([...image.pixels], [...Buffer.from(pixels, 'base64')], name);
  }
});

test('the profiles of these images would change them', async () => {
  const { images } = JSON.parse(await readFile(fixture('images.json'), 'utf8')) as PillowImages;
  for (const wanted of ['generic-rgb.jpg', 'adobe-rgb.jpg', 'adobe-rgb.png']) {
    const { file, pixels } = images.find(({ name }) => name === wanted)!;
    const applied = await sharp(Buffer.from(file, 'base64')).toColourspace('srgb').raw().toBuffer();
    const distances = [...Buffer.from(pixels, 'base64')].map((value, at) => Math.abs(value - applied[at]!));
    assert.ok(Math.max(...distances) > 8, `${wanted}: ${Math.max(...distances)}`);
  }
});

test('two things are not as Pillow has them: EXIF orientation and 16-bit greyscale', async () => {
  const { width, height, images } = JSON.parse(await readFile(fixture('images.json'), 'utf8')) as PillowImages;
  const read = async (wanted: string) => {
    const { file, pixels } = images.find(({ name }) => name === wanted)!;
    await writeFile(path.join(folder, wanted), Buffer.from(file, 'base64'));
    return { image: await decodeImage(path.join(folder, wanted), own), pillow: Buffer.from(pixels, 'base64') };
  };
  const turned = await read('turned.jpg');
  assert.deepEqual([turned.image.width, turned.image.height], [height, width]);
  // orientation 6: the stored top row is the right-hand column of the picture
  assert.deepEqual(pixelAt(turned.image.pixels, height - 1), pixelAt(turned.pillow, 0));
  const deep = await read('deep-grey.png');
  const middle = [...deep.image.pixels].filter((value) => value > 10 && value < 245).length;
  assert.ok(middle > 100, 'scaled');
  assert.ok([...deep.pillow].filter((value) => value === 255).length > 150, 'Pillow cuts off');
});

/** A TIFF of one pixel [cyan, magenta, yellow, black], not compressed: a header, the pixel and nine entries. */
function cmykPixel(pixel: readonly number[]): Buffer {
  const entries = [
    [256, 3, 1, 1], // width
    [257, 3, 1, 1], // height
    [258, 3, 4, 126], // bits of each sample: four shorts behind the entries
    [259, 3, 1, 1], // no compression
    [262, 3, 1, 5], // separated inks
    [273, 4, 1, 8], // where the pixel is
    [277, 3, 1, 4], // samples
    [278, 3, 1, 1], // rows of a strip
    [279, 4, 1, 4], // bytes of the strip
  ] as const;
  const bytes = Buffer.alloc(134);
  bytes.write('II*\0', 'latin1');
  bytes.writeUInt32LE(12, 4);
  bytes.set(pixel, 8);
  bytes.writeUInt16LE(entries.length, 12);
  for (const [index, [tag, type, count, value]] of entries.entries()) {
    const at = 14 + 12 * index;
    bytes.writeUInt16LE(tag, at);
    bytes.writeUInt16LE(type, at + 2);
    bytes.writeUInt32LE(count, at + 4);
    bytes.writeUInt32LE(value, at + 8);
  }
  for (const sample of [0, 1, 2, 3]) bytes.writeUInt16LE(8, 126 + 2 * sample);
  return bytes;
}

test('black ink darkens all colours, as in cmyk2rgb of Pillow', async () => {
  const file = path.join(folder, 'inks.tif');
  await writeFile(file, cmykPixel([100, 50, 0, 55]));
  // White is 255 - 55 = 200; of it go 100 * 200 / 255 = 78.4, 50 * 200 / 255 = 39.2 and 0.
  assert.deepEqual([...(await decodeImage(file, own)).pixels], [122, 161, 200]);
});

test('colours under a transparent pixel do not fade where images shrink', async () => {
  const background = { r: 200, g: 100, b: 50, alpha: 0 };
  const glass = sharp({ create: { width: 8, height: 8, channels: 4, background } }).png();
  const resize = { size: 4, keepAspect: false };
  const { pixels } = await decodeImage(await saved('glass.png', glass), { ...own, resize });
  assert.deepEqual(pixelAt(pixels, 5), [200, 100, 50]);
});

test('bitmaps that are cut, compressed or of another depth are refused', async () => {
  const { images } = JSON.parse(await readFile(fixture('images.json'), 'utf8')) as PillowImages;
  const whole = Buffer.from(images.find(({ name }) => name === 'rgb.bmp')!.file, 'base64');
  const changed = (change: (bytes: Buffer) => void) => {
    const copy = Buffer.from(whole);
    change(copy);
    return copy;
  };
  for (const [bytes, reason] of [
    [whole.subarray(0, whole.length - 1), /9 x 6 pixels takes 222 bytes, the file has 221/],
    [changed((copy) => copy.writeInt32LE(1_000_000, 18)), /1000000 x 6 pixels takes/],
    [changed((copy) => copy.writeUInt16LE(4, 28)), /4 bits a pixel.*read are 1, 8, 24, 32/],
    [changed((copy) => copy.writeUInt32LE(1, 30)), /compression 1/],
    [whole.subarray(0, 20), /less than 54 bytes/],
  ] as const) {
    const file = path.join(folder, 'odd.bmp');
    await writeFile(file, bytes);
    await assert.rejects(decodeImage(file, own), (error: unknown) => {
      return error instanceof RequestError && reason.test(error.message) && error.message.includes(file);
    });
  }
});

test('a bitmap is shrunk as the same pixels of a PNG are, and stays as it is where it is no larger', async () => {
  const { images } = JSON.parse(await readFile(fixture('images.json'), 'utf8')) as PillowImages;
  const file = path.join(folder, 'shrunk.bmp');
  await writeFile(file, Buffer.from(images.find(({ name }) => name === 'rgb.bmp')!.file, 'base64'));
  const { width, height, pixels } = await decodeImage(file, own);
  const png = await saved('shrunk.png', sharp(pixels, { raw: { width, height, channels: 3 } }).png());
  for (const [size, shrunk] of [
    [3, { width: 4, height: 3 }],
    [6, { width, height }],
    [12, { width, height }],
  ] as const) {
    const decoding = { ...own, resize: { size, keepAspect: true } };
    const [bitmap, reference] = [await decodeImage(file, decoding), await decodeImage(png, decoding)];
    assert.deepEqual(
      [bitmap.width, bitmap.height, ...bitmap.pixels],
      [shrunk.width, shrunk.height, ...reference.pixels],
    );
  }
});

test('resizing agrees with the antialiased filters of Pillow', async () => {
  const width = 40;
  const height = 30;
  const pixels = Uint8Array.from({ length: width * height * 3 }, (_, at) => {
    const x = Math.floor(at / 3) % width;
    const y = Math.floor(at / 3 / width);
    return 128 + 50 * Math.sin(x / 4 + (at % 3)) + 50 * Math.sin(y / 5);
  });
  const file = await saved('waves.png', sharp(pixels, { raw: { width, height, channels: 3 } }));
  for (const interpolation of ['bilinear', 'bicubic'] as const) {
    const squashed = await decodeImage(file, { interpolation, resize: { size: 16, keepAspect: false } });
    const expected = new Float32Array(16 * 16 * 3);
    const whole = { left: 0, top: 0, width, height };
    resample({ width, height, pixels }, whole, 16, interpolation, false, expected);
    // libvips rounds its weights and repeats border pixels where Pillow leaves them out
    assertNear([...squashed.pixels], [...expected], 4);
  }
  const kept = await decodeImage(file, { interpolation: 'bicubic', resize: { size: 17, keepAspect: true } });
  assert.deepEqual([kept.width, kept.height], [22, 17], 'torchvision truncates 17 * 40 / 30 = 22.67');
});

test('a JPEG whose size eight does not divide is not stretched where it shrinks to a quarter and less', async () => {
  for (const [width, height] of [
    [501, 333],
    [504, 333],
    [501, 336],
  ] as const) {
    await assertNotStretched(width, height);
  }
});

async function assertNotStretched(width: number, height: number): Promise<void> {
  const texture = Uint8Array.from({ length: width * height * 3 }, (_, at) => {
    const [x, y] = [Math.floor(at / 3) % width, Math.floor(at / 3 / width)];
    return 128 + 60 * Math.sin(x / 5) + 60 * Math.sin(y / 6);
  });
  const jpeg = sharp(texture, { raw: { width, height, channels: 3 } }).jpeg({ quality: 95 });
  for (const orientation of [1, 6]) {
    const file = await saved(
      `texture-${width}-${height}-${orientation}.jpg`,
      jpeg.clone().withMetadata({ orientation }),
    );
    const whole = await decodeImage(file, own);
    const shrunk = await decodeImage(file, { interpolation: 'bicubic', resize: { size: 64, keepAspect: false } });
    const expected = new Float32Array(64 * 64 * 3);
    const window = { left: 0, top: 0, width: whole.width, height: whole.height };
    resample(whole, window, 64, 'bicubic', false, expected);
    // where libjpeg shrinks by itself, it rounds up, and values are 20 apart
    assertNear([...shrunk.pixels], [...expected], 4);
  }
}

test('an image that the resize would enlarge keeps its size', async () => {
  const file = await saved('small.png', halves());
  const { width, height } = await decodeImage(file, { ...own, resize: { size: 8, keepAspect: true } });
  assert.deepEqual([width, height], [4, 2]);
});

test('missing, damaged and truncated files are errors that name the file', async () => {
  const whole = await sharp({ create: { width: 64, height: 64, channels: 3, background: 'green' } })
    .composite([{ input: await halves().resize(64, 64).png().toBuffer() }])
    .jpeg()
    .toBuffer();
  const truncated = path.join(folder, 'truncated.jpg');
  await writeFile(truncated, whole.subarray(0, whole.length * 0.8));
  const damaged = path.join(folder, 'damaged.jpg');
  await writeFile(damaged, 'not an image');
  const empty = path.join(folder, 'empty.jpg');
  await writeFile(empty, '');
  const resize = { size: 8, keepAspect: true };
  for (const file of [truncated, damaged, empty, path.join(folder, 'missing.jpg'), folder]) {
    for (const decoding of [own, { ...own, resize }]) {
      await assert.rejects(decodeImage(file, decoding), (error: unknown) => {
        assert.ok(error instanceof RequestError && error.hint !== undefined);
        assert.ok(error.message.includes(file), error.message);
        return true;
      });
    }
  }
  await assert.rejects(decodeImage(folder, own), {
    message: `${folder} is a folder, not an image`,
    hint: `Name the images in it: ${path.join(folder, '*.jpg')}`,
  });
});

test('an image of more pixels than are read is named as too large, not as damaged', async () => {
  const file = path.join(folder, 'panorama.svg');
  await writeFile(file, '<svg xmlns="http://www.w3.org/2000/svg" width="20000" height="14000"/>');
  await assert.rejects(decodeImage(file, own), {
    message: `image ${file} has more pixels than are read, 268 million (16383 x 16383)`,
    hint: /smaller copy/,
  });
});
