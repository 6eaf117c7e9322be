/** Bytes that are normalised on the device, beside the images that the host makes; on the stand-in of a card, too. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { openBatches, openBatchesFor, openPixelBatches } from '../../../src/data/batches/batches.js';
import { imagesFrom } from '../../../src/data/batches/pixel-images.js';
import {
  type Augmentation,
  imagenetNormalisation,
  type Preprocessing,
} from '../../../src/data/images/preprocessing.js';
import { createNvidiaEngine } from '../../../src/engine/nvidia/engine.js';
import { createOnnxEngine } from '../../../src/engine/onnx/engine.js';
import { Random } from '../../../src/shared/random.js';
import { imagesOnDevice } from '../../../src/training/images/on-device.js';
import { noTestCard, openTestCard } from '../../engine/nvidia/stand-in/stand-in.js';
import { temporaryFolder } from '../../models/pretrained/fixtures.js';

const preprocessing: Preprocessing = {
  ...{ crop: 24, resize: { size: 28, keepAspect: true }, interpolation: 'bicubic' },
  ...imagenetNormalisation,
};
const colours = { brightness: 0.4, contrast: 0.4, saturation: 0.4 };
const augmentations: readonly (Augmentation | undefined)[] = [
  undefined,
  { crop: { scale: [0.2, 1], ratio: [0.75, 1.33] }, flip: true, jitter: colours },
];

/** Five images of noise, 40 x 30 pixels. */
async function noise(folder: string) {
  const random = Random.of(0, 'noise');
  const [width, height] = [40, 30];
  return Promise.all(
    [0, 1, 2, 3, 4].map(async (label) => {
      const file = path.join(folder, `${label}.png`);
      const pixels = Uint8Array.from({ length: width * height * 3 }, () => random.integer(256));
      await sharp(pixels, { raw: { width, height, channels: 3 } }).toFile(file);
      return { file, label };
    }),
  );
}

test('bytes become the images of the host, on the CPU and on a card', async (t) => {
  const cpu = await createOnnxEngine({ threads: 1 });
  const engines = [cpu, ...(noTestCard ? [] : [await createNvidiaEngine({ card: await openTestCard() })])];
  t.after(() => Promise.all(engines.map((engine) => engine.dispose())));
  const samples = await noise(temporaryFolder(t));
  for (const augmentation of augmentations) {
    const options = {
      ...{ samples, preprocessing, batchSize: 3, shuffle: true, seed: 2, threads: 1 },
      ...(augmentation && { augmentation }),
    };
    const [host, bytes] = [await openBatches(options), await openPixelBatches(options)];
    const sent = bytes.batches();
    for await (const { images, labels } of host.batches()) {
      const { value } = await sent.next();
      assert.deepEqual(value!.labels, labels);
      assert.equal(value!.images.pixels.data.byteLength, images.data.byteLength / 4);
      for (const engine of engines) {
        const made = await engine.get(await imagesOnDevice(engine, value!.images));
        assert.deepEqual(made.shape, images.shape);
        // float32 where the host computes in float64: values of up to 2.7 are off by a few of their last bits.
        const off = images.data.reduce((most, number, at) => Math.max(most, Math.abs(number - made.data[at]!)), 0);
        assert.ok(off < (augmentation ? 1e-5 : 1e-6), `${engine.name}: ${off}`);
      }
    }
    await Promise.all([host.close(), bytes.close()]);
  }
});

test('an engine gets images as it says', async (t) => {
  const samples = await noise(temporaryFolder(t));
  for (const imagesAsBytes of [true, false]) {
    const loader = await openBatchesFor({ imagesAsBytes }, { samples, preprocessing, batchSize: 5, threads: 1 });
    for await (const { images } of loader.batches()) assert.equal('pixels' in images, imagesAsBytes);
    await loader.close();
  }
});

test('a part of a batch is filled up, its factors too', () => {
  const pixels = { dtype: 'uint8', shape: [3, 1, 1, 2], data: Uint8Array.of(1, 2, 3, 4, 5, 6) } as const;
  const factors = { dtype: 'float32', shape: [3, 1], data: Float32Array.of(7, 8, 9) } as const;
  const part = imagesFrom({ pixels, factors, ...imagenetNormalisation }, 2, 2);
  assert.deepEqual(part, {
    pixels: { dtype: 'uint8', shape: [2, 1, 1, 2], data: Uint8Array.of(5, 6, 0, 0) },
    factors: { dtype: 'float32', shape: [2, 1], data: Float32Array.of(9, 0) },
    ...imagenetNormalisation,
  });
  assert.deepEqual(imagesFrom(factors, 1, 1), { ...factors, shape: [1, 1], data: Float32Array.of(8) });
});
