import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prepareImage } from '../../../src/data/images/augment.js';
import type { Augmentation, Preprocessing } from '../../../src/data/images/preprocessing.js';
import { imagenetNormalisation, resizedExtent } from '../../../src/data/images/preprocessing.js';
import { Random } from '../../../src/shared/random.js';

const plain: Preprocessing = { crop: 2, interpolation: 'bilinear', mean: [0, 0, 0], std: [1 / 255, 1 / 255, 1 / 255] };

/** Red is the column, green the row, blue 7. */
function coordinates(width: number, height: number) {
  const pixels = new Uint8Array(width * height * 3);
  for (let at = 0; at < width * height; at++) pixels.set([at % width, Math.floor(at / width), 7], at * 3);
  return { width, height, pixels };
}

function prepared(image: ReturnType<typeof coordinates>, preprocessing: Preprocessing, augmentation?: Augmentation) {
  const length = preprocessing.crop ** 2 * 3;
  return (index: number) => {
    const output = new Float32Array(length);
    const view = augmentation && { augmentation, random: Random.of(0, index) };
    prepareImage(image, preprocessing, view, output);
    return output;
  };
}

test('evaluation takes the central crop, rounded as by torchvision', () => {
  // (7 - 2) / 2 = 2.5 rounds to 2, (9 - 2) / 2 = 3.5 to 4
  const output = prepared(coordinates(7, 9), plain)(0);
  assert.deepEqual([...output.subarray(0, 6)].map(Math.round), [2, 4, 7, 3, 4, 7]);
});

test('values are normalised by channel', () => {
  const image = { width: 1, height: 1, pixels: Uint8Array.of(255, 0, 51) };
  const output = prepared(image, { crop: 1, interpolation: 'bilinear', ...imagenetNormalisation })(0);
  const expected = [(1 - 0.485) / 0.229, -0.456 / 0.224, (0.2 - 0.406) / 0.225];
  for (const [channel, value] of expected.entries()) assert.ok(Math.abs(output[channel]! - value) < 1e-5);
});

test('an image that is smaller than the crop is refused by the settings that allow it', () => {
  assert.throws(() => prepared(coordinates(3, 5), { ...plain, crop: 4 })(0), {
    ...{ name: 'RequestError', message: 'an image of 3 x 5 pixels is smaller than preprocessing.crop, 4 x 4' },
    hint: /^Set preprocessing\.resize to 4 or more, .*, or preprocessing\.crop to at most 3\.$/,
  });
});

test('random crops reach every position, and half are mirrored', () => {
  const view = prepared(coordinates(4, 3), plain, { crop: 'random', flip: true });
  const seen = new Map<string, number>();
  let mirrored = 0;
  for (let index = 0; index < 600; index++) {
    const output = view(index);
    const [first, second, row] = [output[0]!, output[3]!, output[1]!].map(Math.round) as [number, number, number];
    if (second < first) mirrored++;
    const key = `${Math.min(first, second)},${row}`;
    seen.set(key, (seen.get(key) ?? 0) + 1);
  }
  assert.equal(seen.size, 6, 'three columns times two rows');
  assert.ok(Math.min(...seen.values()) > 60, 'about 100 each');
  assert.ok(mirrored > 240 && mirrored < 360);
});

test('random resized crops have the areas and shapes asked for', () => {
  const crop = { scale: [0.25, 0.5], ratio: [0.5, 2] } as const;
  const view = prepared(coordinates(100, 80), { ...plain, crop: 50 }, { crop, flip: false });
  for (let index = 0; index < 50; index++) {
    const output = view(index);
    // red grows by width / crop from column to column, away from the borders
    const width = (output[(25 * 50 + 40) * 3]! - output[(25 * 50 + 10) * 3]!) * (50 / 30);
    const height = (output[(40 * 50 + 25) * 3 + 1]! - output[(10 * 50 + 25) * 3 + 1]!) * (50 / 30);
    const area = (width * height) / 8000;
    assert.ok(area > 0.24 && area < 0.52, `area ${area}`);
    assert.ok(width / height > 0.48 && width / height < 2.1);
  }
});

test('an impossible shape falls back to the largest central window', () => {
  const crop = { scale: [1, 1], ratio: [1, 1] } as const;
  const output = prepared(coordinates(6, 2), plain, { crop, flip: false })(0);
  assert.deepEqual([...output.subarray(0, 6)].map(Math.round), [2, 0, 7, 3, 0, 7]);
});

test('a small image is enlarged by its crop as it would be before', () => {
  const preprocessing = { ...plain, resize: { size: 8, keepAspect: true }, crop: 8 };
  assert.deepEqual(resizedExtent({ width: 2, height: 3 }, preprocessing.resize), { width: 8, height: 12 });
  const small = coordinates(2, 3);
  const output = prepared({ ...small, pixels: small.pixels.map((value) => 80 * value) }, preprocessing)(0);
  // rows 2 to 10 of 12: the first lies at (2.5 / 12) * 3 - 0.5 = 0.125 of the original, the last at 1.875
  assert.ok(Math.abs(output[1]! - 80 * 0.125) < 1e-4);
  assert.ok(Math.abs(output.at(-2)! - 80 * 1.875) < 1e-4);
});

test('colour jitter leaves grey images grey and keeps their mean under contrast', () => {
  const image = { width: 2, height: 2, pixels: Uint8Array.from([50, 100, 100, 150].flatMap((v) => [v, v, v])) };
  const jitter = { brightness: 0, contrast: 0.5, saturation: 1 };
  const view = prepared(image, plain, { crop: 'center', flip: false, jitter });
  const contrasts = new Set<number>();
  for (let index = 0; index < 20; index++) {
    const output = view(index);
    assert.ok(Math.abs(output[0]! - output[1]!) < 1e-3 && Math.abs(output[0]! - output[2]!) < 1e-3);
    assert.ok(Math.abs((output[0]! + output[3]! + output[6]! + output[9]!) / 4 - 100) < 1e-2);
    contrasts.add(Math.round(output[9]! - output[0]!));
  }
  assert.ok(contrasts.size > 10 && Math.min(...contrasts) >= 50 && Math.max(...contrasts) <= 150);
});

/** The first pixel, [red, green, blue], of 40 views whose colours alone are drawn. */
function jittered(jitter: NonNullable<Augmentation['jitter']>, ...pixels: readonly (readonly number[])[]) {
  const image = { width: 2, height: 2, pixels: Uint8Array.from(pixels.flat()) };
  const view = prepared(image, plain, { crop: 'center', flip: false, jitter });
  return Array.from({ length: 40 }, (_, index) => [...view(index).subarray(0, 3)] as [number, number, number]);
}

const near = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 1e-3, `${actual}`);
const bounded = (value: number) => Math.max(0, Math.min(255, value));

test('brightness multiplies all channels by a factor of 1 - x to 1 + x, up to white', () => {
  const colour = [200, 100, 40] as const;
  const factors = jittered({ brightness: 0.5, contrast: 0, saturation: 0 }, ...new Array(4).fill(colour)).map(
    ([red, green, blue]) => {
      const factor = blue / 40;
      near(green, factor * 100);
      near(red, bounded(factor * 200));
      return factor;
    },
  );
  assert.ok(Math.min(...factors) >= 0.5 && Math.max(...factors) <= 1.5);
  assert.ok(Math.min(...factors) < 0.6 && Math.max(...factors) > 1.4, 'they reach both ends');
});

// Pillow's ImageEnhance, which torchvision follows: the image mixed with what lacks it, grey by L = R * 299/1000 +
// G * 587/1000 + B * 114/1000.
test('contrast mixes with the mean grey of the image, saturation with the grey of the pixel', () => {
  const greyOf = ([red, green, blue]: readonly number[]) => (299 * red! + 587 * green! + 114 * blue!) / 1000;
  const colours = [
    [200, 90, 40],
    [10, 120, 60],
    [70, 80, 250],
    [30, 30, 30],
  ];
  const own = greyOf(colours[0]!); // 117.19
  const mean = colours.reduce((sum, colour) => sum + greyOf(colour), 0) / 4;
  for (const [jitter, grey] of [
    [{ brightness: 0, contrast: 0.8, saturation: 0 }, mean],
    [{ brightness: 0, contrast: 0, saturation: 1 }, own],
  ] as const) {
    const factors = jittered(jitter, ...colours).map(([red, green, blue]) => {
      const factor = (green - grey) / (90 - grey);
      near(red, bounded(factor * 200 + (1 - factor) * grey));
      near(blue, bounded(factor * 40 + (1 - factor) * grey));
      return factor;
    });
    const strength = Math.max(jitter.contrast, jitter.saturation);
    const [least, most] = [Math.min(...factors), Math.max(...factors)];
    assert.ok(least >= 1 - strength - 1e-5 && least < 1 - 0.7 * strength, `${least}`);
    assert.ok(most <= 1 + strength + 1e-5 && most > 1 + 0.7 * strength, `${most}`);
  }
});

test('contrast is around the mean of the image as it is after the change of brightness', () => {
  const image = { width: 2, height: 2, pixels: Uint8Array.from([60, 100, 100, 140].flatMap((v) => [v, v, v])) };
  const viewOf = (contrast: number) =>
    prepared(image, plain, {
      crop: 'center',
      flip: false,
      jitter: { brightness: 0.5, contrast, saturation: 0 },
    });
  for (let index = 0; index < 20; index++) {
    // Brightness is drawn first, so that both have the same.
    const [bright, both] = [viewOf(0)(index), viewOf(0.5)(index)];
    const means = [bright, both].map((output) => (output[0]! + output[3]! + output[6]! + output[9]!) / 4);
    near(means[1]!, means[0]!);
    assert.ok(Math.abs(both[9]! - both[0]! - (bright[9]! - bright[0]!)) > 1e-3, 'contrast has changed');
  }
});
