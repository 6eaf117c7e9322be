import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import { type Batch, type BatchOptions, type BatchRange, openBatches } from '../../../src/data/batches/batches.js';
import type { Sample } from '../../../src/data/dataset.js';
import type { Preprocessing } from '../../../src/data/images/preprocessing.js';
import type { Float32NdArray } from '../../../src/shared/arrays.js';
import { RequestError } from '../../../src/shared/errors.js';

const count = 10;
let folder: string;
let samples: Sample[];

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'batches-'));
  samples = [];
  for (let index = 0; index < count; index++) {
    const file = path.join(folder, `${index}.png`);
    // one flat colour for each image, so that its index can be read off any crop
    const background = { r: index * 20, g: 0, b: 255 };
    await sharp({ create: { width: 12, height: 8, channels: 3, background } }).toFile(file);
    samples.push({ file, label: index % 3 });
  }
});
after(() => rm(folder, { recursive: true }));

const preprocessing: Preprocessing = { crop: 8, interpolation: 'bilinear', mean: [0, 0, 0], std: [1, 1, 1] };
const training = { crop: { scale: [0.2, 1], ratio: [0.75, 1.33] }, flip: true } as const;

async function collect(options: Partial<BatchOptions>, range: BatchRange = {}): Promise<Batch<Float32NdArray>[]> {
  const loader = await openBatches({ samples, preprocessing, batchSize: 4, ...options });
  const batches: Batch<Float32NdArray>[] = [];
  for await (const batch of loader.batches(range)) batches.push(batch);
  await loader.close();
  return batches;
}

test('evaluation keeps the order and the short last batch', async () => {
  const batches = await collect({});
  assert.deepEqual(
    batches.map((batch) => [...batch.indices]),
    [
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9],
    ],
  );
  assert.deepEqual(batches[2]!.images.shape, [2, 8, 8, 3]);
  assert.deepEqual([...batches[2]!.labels.data], [2, 0]);
  const last = batches[2]!.images.data;
  assert.ok(Math.abs(last[8 * 8 * 3]! - 180 / 255) < 1e-6, 'second image of the batch is image 9');
});

test('training shuffles anew every epoch, drops the short batch, and images keep their labels', async () => {
  const batches = await collect({ shuffle: true, lastBatch: 'drop', augmentation: training }, { epochs: 2 });
  assert.deepEqual(
    batches.map(({ epoch, index }) => [epoch, index]),
    [
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ],
  );
  assert.notDeepEqual(batches[0]!.indices, batches[2]!.indices);
  for (const { images, labels, indices } of batches) {
    for (const [position, index] of indices.entries()) {
      assert.ok(Math.abs(images.data[position * 8 * 8 * 3]! - (index * 20) / 255) < 1e-6);
      assert.equal(labels.data[position], index % 3);
    }
  }
});

test('content does not depend on threads, prefetch, cache or where the run went on', async () => {
  const options = { shuffle: true, seed: 5, augmentation: { ...training, jitter: jitterOf(0.4) } };
  const reference = await collect(options, { epochs: 3 });
  assert.equal(reference.length, 9);
  assert.deepEqual(await collect({ ...options, threads: 2, prefetch: 1, cacheBytes: 0 }, { epochs: 3 }), reference);
  const half = (count / 2) * 12 * 8 * 3;
  assert.deepEqual(await collect({ ...options, cacheBytes: half }, { epochs: 3 }), reference, 'half from memory');
  assert.deepEqual(await collect(options, { epoch: 1, index: 2, epochs: 2 }), reference.slice(5));
  const other = await collect({ ...options, seed: 6 });
  assert.notDeepEqual(other[0]!.indices, reference[0]!.indices);
});

test('as many images are kept as fit', async () => {
  const bytes = 12 * 8 * 3;
  for (const [cacheBytes, kept] of [
    [count * bytes, count],
    [count * bytes - 1, count - 1],
    [0, 0],
  ] as const) {
    const loader = await openBatches({ samples, preprocessing, batchSize: 4, cacheBytes });
    assert.equal(loader.cache.images.filter(Boolean).length, kept);
    await loader.close();
  }
});

test('batches are prepared while the main thread is busy', async () => {
  const vanishing = await Promise.all(
    samples.map(async ({ file, label }) => {
      const copy = `${file}.copy`;
      await copyFile(file, copy);
      return { file: copy, label };
    }),
  );
  const options = { samples: vanishing, preprocessing, batchSize: 1, threads: 1, prefetch: count, cacheBytes: -1 };
  const loader = await openBatches(options);
  const batches = loader.batches();
  const first = batches.next(); // asks for all ten
  blockWhileOthersWork();
  for (const { file } of vanishing) rmSync(file);
  await first;
  for (let read = 1; read < count; read++) {
    const { value } = await batches.next(); // what was not ready could not be read any more
    assert.equal(value?.index, read);
  }
  await loader.close();
});

test('a damaged image is reported by name, from the cache and from the threads', async () => {
  const file = path.join(folder, 'damaged.jpg');
  await writeFile(file, 'not an image');
  const damaged = [...samples.slice(0, 4), { file, label: 0 }];
  const expected = (error: unknown) => error instanceof RequestError && error.message.includes(file);
  await assert.rejects(openBatches({ samples: damaged, preprocessing, batchSize: 2 }), expected);
  const later = path.join(folder, 'later.png');
  const renamed = [...samples.slice(0, 4), { file: later, label: 0 }];
  await assert.rejects(collect({ samples: renamed, cacheBytes: -1, batchSize: 2 }), (error: unknown) => {
    return error instanceof RequestError && error.message.includes(later) && error.hint !== undefined;
  });
});

test('too few images for a batch, and images smaller than the crop, are refused', async () => {
  await assert.rejects(collect({ batchSize: 11, lastBatch: 'drop' }), /10 images do not fill a batch of 11/);
  await assert.rejects(collect({ preprocessing: { ...preprocessing, crop: 9 } }), /0\.png.* 12 x 8 pixels is smaller/);
});

test('a split without images has no batches', async () => {
  assert.deepEqual(await collect({ samples: [], batchSize: 4 }), []);
});

test('leaving the loop early and closing leaves nothing behind', async () => {
  const loader = await openBatches({ samples, preprocessing, batchSize: 1 });
  for await (const batch of loader.batches({ epochs: 100 })) if (batch.index === 2) break;
  await loader.close();
  await assert.rejects(loader.batches().next(), /closed/);
});

/** Blocks this thread, without computing, until the other threads of this process compute no more. */
function blockWhileOthersWork(): void {
  const cpuTime = () => process.cpuUsage().user + process.cpuUsage().system;
  const never = new Int32Array(new SharedArrayBuffer(4));
  for (let before = -1; cpuTime() - before > 5000; ) {
    before = cpuTime();
    Atomics.wait(never, 0, 0, 400);
  }
}

function jitterOf(strength: number) {
  return { brightness: strength, contrast: strength, saturation: strength };
}
