import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import type { Sample } from '../../../src/data/dataset.js';
import { cachedImage, cacheImages, type ImageCache } from '../../../src/data/images/image-cache.js';
import { RequestError } from '../../../src/shared/errors.js';

const own = { interpolation: 'bilinear' } as const;
const imageBytes = 12 * 8 * 3;
let folder: string;
let sample: Sample;

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'image-cache-'));
  const file = path.join(folder, 'red.png');
  await sharp({ create: { width: 12, height: 8, channels: 3, background: 'red' } }).toFile(file);
  sample = { file, label: 0 };
});
after(() => rm(folder, { recursive: true }));

const reserved = ({ chunks }: ImageCache) => chunks.reduce((sum, { byteLength }) => sum + byteLength, 0);

test('all memory of the cache is within its bound', async () => {
  const samples = Array.from({ length: 10 }, () => sample);
  for (const maximumBytes of [10 * imageBytes, 10 * imageBytes + 100]) {
    const cache = await cacheImages(samples, own, { maximumBytes });
    assert.ok(reserved(cache) <= maximumBytes);
    const { width, height, pixels } = cachedImage(cache, 9)!;
    assert.deepEqual([width, height, ...pixels.subarray(-3)], [12, 8, 255, 0, 0]);
  }
});

test('of a data set far larger than the bound the first images are kept', async () => {
  const samples = Array.from({ length: 500 }, () => sample);
  const cache = await cacheImages(samples, own, { maximumBytes: 3 * imageBytes });
  assert.equal(reserved(cache), 3 * imageBytes);
  assert.equal(cache.images.filter(Boolean).length, 3);
  assert.equal(cachedImage(cache, 499), undefined);
});

test('an unreadable image is named wherever it lies, also beyond the bound', async () => {
  const file = path.join(folder, 'late.jpg');
  await writeFile(file, 'no image');
  const samples = [...Array.from({ length: 200 }, () => sample), { file, label: 0 }];
  for (const threads of [0, 1]) {
    await assert.rejects(cacheImages(samples, own, { maximumBytes: 3 * imageBytes, threads }), {
      name: 'RequestError',
      message: /late\.jpg cannot be decoded/,
    });
  }
});

test('all unreadable images are named at once, with where to look further', async () => {
  const bad = ['b.jpg', 'a.jpg'].map((name) => path.join(folder, name));
  for (const file of bad) await writeFile(file, 'no image');
  const samples = [sample, ...bad.map((file) => ({ file, label: 0 })), sample];
  await assert.rejects(cacheImages(samples, own), (error: unknown) => {
    assert.ok(error instanceof RequestError);
    const [first, ...lines] = error.message.split('\n');
    assert.equal(first, '2 of 4 images cannot be read:');
    for (const [index, file] of bad.entries())
      assert.ok(lines[index]!.includes(`${file} cannot be decoded`), lines[index]);
    assert.match(error.hint!, /esta data check/);
    return true;
  });
});

test('threads keep what this one keeps, and name the same unreadable images', async () => {
  const files = await Promise.all(
    Array.from({ length: 70 }, async (_, index) => {
      const file = path.join(folder, `${index}.${index % 2 === 0 ? 'png' : 'webp'}`);
      const image = sharp({ create: { width: 3, height: 2, channels: 3, background: { r: 3 * index, g: 1, b: 2 } } });
      await (index % 2 === 0 ? image.png() : image.webp({ lossless: true })).toFile(file);
      return file;
    }),
  );
  const samples = files.map((file) => ({ file, label: 0 }));
  const decoding = { ...own, resize: { size: 2, keepAspect: false } };
  const [here, there] = [await cacheImages(samples, decoding), await cacheImages(samples, decoding, { threads: 2 })];
  for (const index of samples.keys()) {
    const { width, height, pixels } = cachedImage(there, index)!;
    assert.deepEqual(
      { width, height, pixels: [...pixels] },
      { width: 2, height: 2, pixels: [...cachedImage(here, index)!.pixels] },
    );
    assert.equal(pixels[0], 3 * index);
  }
  const messages = await Promise.all(
    [0, 2].map((threads) => {
      const broken = [...samples.slice(0, 40), { file: path.join(folder, 'nowhere.jpg'), label: 0 }];
      return cacheImages(broken, decoding, { threads }).then(
        () => 'nothing',
        (error) => `${error.constructor.name} ${error.message} ${error.hint}`,
      );
    }),
  );
  assert.match(messages[0]!, /^RequestError image .*nowhere\.jpg cannot be read/);
  assert.equal(messages[1], messages[0]);
});

test('with threads the memory stays within its bound as well', async () => {
  const samples = Array.from({ length: 200 }, () => sample);
  const cache = await cacheImages(samples, own, { maximumBytes: 3 * imageBytes, threads: 1 });
  assert.equal(reserved(cache), 3 * imageBytes);
  assert.equal(cache.images.filter(Boolean).length, 3);
});
