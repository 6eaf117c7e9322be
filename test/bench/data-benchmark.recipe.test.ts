import assert from 'node:assert/strict';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import { benchmarkData, drawJpegs, listJpegs } from '../../src/bench/data-benchmark.js';

let folder: string;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'data-benchmark-'));
});
after(() => rm(folder, { recursive: true }));

test('drawn images have the size of photographs, in pixels and in bytes', async () => {
  const [first] = await drawJpegs(path.join(folder, 'drawn'), 2);
  const { width, height, format } = await sharp(first!).metadata();
  assert.deepEqual([width, height, format], [500, 375, 'jpeg']);
  const { size } = await stat(first!);
  assert.ok(size > 60_000 && size < 200_000, `${size} bytes`);
});

test('images of a folder are listed by name up to the limit, and timed by epoch without a cache', async () => {
  await drawJpegs(path.join(folder, 'listed', 'below'), 3);
  const files = await listJpegs(path.join(folder, 'listed'), 2);
  assert.deepEqual(
    files.map((file) => path.basename(file)),
    ['0.jpg', '1.jpg'],
  );
  const timings = await benchmarkData(files, { batchSize: 2, size: 32, threads: 1, epochs: 2, cacheBytes: 0 });
  assert.deepEqual(
    timings.map(({ epoch, cache_hit_rate }) => [epoch, cache_hit_rate]),
    [
      [0, 0],
      [1, 0],
    ],
  );
  for (const { images_per_second, images_per_cpu_second } of timings) {
    assert.ok(images_per_second > 0 && images_per_cpu_second > 0);
  }
});
