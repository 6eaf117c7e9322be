/** Bytes and the numbers of views beside them, against the views that the host shows. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { type Batch, openBatches, openRawBatches } from '../../../src/data/batches/batches.js';
import { writeRawImage, writeView } from '../../../src/data/batches/raw-images.js';
import type { Preprocessing } from '../../../src/data/images/preprocessing.js';
import type { Float32NdArray } from '../../../src/shared/arrays.js';
import { Random } from '../../../src/shared/random.js';
import { temporaryFolder } from '../../models/pretrained/fixtures.js';

const preprocessing: Preprocessing = {
  ...{ crop: 4, resize: { size: 4, keepAspect: false }, interpolation: 'bilinear' },
  ...{ mean: [0, 0, 0], std: [1 / 255, 1 / 255, 1 / 255] },
};

test('a raw batch holds the bytes of the images of the batch that the host would make, with its labels', async (t) => {
  const folder = temporaryFolder(t);
  const samples = await Promise.all(
    [0, 1, 2, 3, 4].map(async (index) => {
      const file = path.join(folder, `${index}.png`);
      const background = { r: 50 * index, g: 7, b: 255 };
      // The last one is smaller than the crop.
      const side = index === 4 ? 2 : 4;
      await sharp({ create: { width: side, height: side, channels: 3, background } }).toFile(file);
      return { file, label: index % 2 };
    }),
  );
  const options = {
    samples,
    preprocessing,
    batchSize: 2,
    shuffle: true,
    seed: 3,
    threads: 1,
    lastBatch: 'drop' as const,
  };
  const [raw, host] = [await openRawBatches(options), await openBatches(options)];
  t.after(() => Promise.all([raw.close(), host.close()]));
  const expected: Batch<Float32NdArray>[] = [];
  for await (const batch of host.batches({ epochs: 2 })) expected.push(batch);
  let seen = 0;
  for await (const { images, views, labels, indices, epoch, index } of raw.batches({ epochs: 2 })) {
    const batch = expected[seen++]!;
    assert.deepEqual([epoch, index, indices, labels], [batch.epoch, batch.index, batch.indices, batch.labels]);
    assert.deepEqual([images.dtype, images.shape, images.shape], ['uint8', [2, 4, 4, 3], batch.images.shape]);
    assert.deepEqual([...images.data], [...batch.images.data].map(Math.round));
    // Without an augmentation the whole image is seen.
    assert.deepEqual([...views.data], [0, 4, 0, 4, 1, 1, 1, 0, 4, 0, 4, 1, 1, 1]);
  }
  assert.equal(seen, 4);
});

test('a mirrored view starts at its right edge and goes to the left; factors of colours follow', () => {
  const seen = new Set<boolean>();
  const jitter = { brightness: 0.5, contrast: 0.25, saturation: 0 };
  for (let index = 0; index < 40; index++) {
    const numbers = new Float32Array(7);
    const crop = { scale: [0.25, 1], ratio: [0.5, 2] } as const;
    writeView(
      { width: 4, height: 4 },
      preprocessing,
      { augmentation: { crop, flip: true, jitter }, random: Random.of(0, index) },
      numbers,
    );
    const [from, width, top, height, brightness, contrast, saturation] = [...numbers] as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    seen.add(width < 0);
    const [left, right] = [Math.min(from, from + width), Math.max(from, from + width)];
    assert.ok(left >= 0 && right <= 4 && top >= 0 && top + height <= 4 && height > 0 && right > left);
    assert.ok(brightness >= 0.5 && brightness <= 1.5 && contrast >= 0.75 && contrast <= 1.25 && saturation === 1);
  }
  assert.equal(seen.size, 2);
});

test('the view of an image that is not square is that of the host, in pixels of the square made of it', () => {
  const numbers = new Float32Array(7);
  const keepAspect = { ...preprocessing, resize: { size: 4, keepAspect: true } };
  // The middle half of its width, 2 of the 4 columns that 16 have become.
  writeView({ width: 16, height: 8 }, keepAspect, undefined, numbers);
  assert.deepEqual([...numbers], [1, 2, 0, 4, 1, 1, 1]);
  // What is squeezed is seen whole.
  writeView({ width: 16, height: 8 }, preprocessing, undefined, numbers);
  assert.deepEqual([...numbers], [0, 4, 0, 4, 1, 1, 1]);
});

test('an image of another size is resized whole', () => {
  const image = { width: 2, height: 2, pixels: Uint8Array.from([0, 100].flatMap((v) => [v, v, v, v, v, v])) };
  const output = new Uint8Array(4 * 4 * 3);
  writeRawImage(image, preprocessing, output);
  // Rows 0 and 100 seen at 0.25, 0.75, 1.25 and 1.75 rows.
  assert.deepEqual(
    [0, 1, 2, 3].map((row) => output[row * 12]),
    [0, 25, 75, 100],
  );
});
