import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import type { Sample } from '../../src/data/dataset.js';
import { cachedImage, cacheImages, type ImageCache } from '../../src/data/image-cache.js';

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
    assert.ok(cache && reserved(cache) <= maximumBytes);
    const { width, height, pixels } = cachedImage(cache, 9);
    assert.deepEqual([width, height, ...pixels.subarray(-3)], [12, 8, 255, 0, 0]);
  }
});

test('a data set far larger than the bound costs neither its memory nor a pass over all images', async () => {
  const samples = Array.from({ length: 5000 }, () => sample);
  let stored = 0;
  const onProgress = () => {
    stored++;
  };
  assert.equal(await cacheImages(samples, own, { maximumBytes: 3 * imageBytes, onProgress }), undefined);
  assert.ok(stored <= 4, `${stored} images were stored`);
});
