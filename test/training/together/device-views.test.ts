/** Views made on the device beside those that the host makes of the same images with the same draws. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type * as tf from '@tensorflow/tfjs';
import { writeView } from '../../../src/data/batches/raw-images.js';
import { prepareImage } from '../../../src/data/images/augment.js';
import type { Preprocessing } from '../../../src/data/images/preprocessing.js';
import { createOnnxEngine } from '../../../src/engine/onnx/engine.js';
import { float32, uint8 } from '../../../src/shared/arrays.js';
import { Random } from '../../../src/shared/random.js';
import { viewsOnDevice } from '../../../src/training/together/device-views.js';

const side = 16;
const count = 24;
const preprocessing: Preprocessing = {
  ...{ crop: side, interpolation: 'bilinear' },
  ...{ mean: [0.5, 0.4, 0.3], std: [0.5, 0.6, 0.7] },
};
const engine = await createOnnxEngine({ threads: 1 });
after(() => engine.dispose());

for (const [name, jitter] of [
  ['crops and mirrored ones', undefined],
  ['changed colours', { brightness: 0.4, contrast: 0.4, saturation: 0.4 }],
] as const) {
  test(`${name} are those of the host, to the rounding of pixels`, async () => {
    const random = Random.of(0, 'pixels');
    const pixels = Uint8Array.from({ length: count * side * side * 3 }, () => random.integer(256));
    const crop = { scale: [0.2, 1], ratio: [0.5, 2] } as const;
    const augmentation = { crop, flip: true, ...(jitter && { jitter }) };
    const views = new Float32Array(count * 7);
    const expected = new Float32Array(pixels.length);
    const length = side * side * 3;
    for (let index = 0; index < count; index++) {
      const drawn = () => ({ augmentation, random: Random.of(1, index) });
      const image = { width: side, height: side, pixels: pixels.subarray(index * length, (index + 1) * length) };
      writeView(image, preprocessing, drawn(), views.subarray(index * 7, (index + 1) * 7));
      prepareImage(image, preprocessing, drawn(), expected.subarray(index * length, (index + 1) * length));
    }
    const run = engine.compile(name, ({ images, views }: Record<'images' | 'views', tf.Tensor>) => ({
      seen: viewsOnDevice(images, views, preprocessing, jitter !== undefined),
    }));
    const { seen } = await run({
      images: engine.put(uint8([count, side, side, 3], pixels)),
      views: engine.put(float32([count, 7], views)),
    });
    const actual = [...(await engine.get(seen)).data];
    // The host rounds after each of two passes: 1 of 255, which the jitter stretches by up to 1.4 twice.
    const step = (jitter ? 2.8 : 1.01) / 255 / 0.5;
    const off = actual.reduce((most, value, at) => Math.max(most, Math.abs(value - expected[at]!)), 0);
    assert.ok(off < step, `${off}, expected below ${step}`);
    assert.ok(new Set(actual).size > 1000);
  });
}
