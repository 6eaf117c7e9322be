/** Images of a batch on the device, as programs read them. */
import tf = require('@tensorflow/tfjs');

import type { PixelImages } from '../../data/batches/pixel-images.js';
import type { Engine, Value } from '../../engine/engine.js';
import type { NdArray } from '../../shared/arrays.js';
import { jittered, normalised } from './colours.js';

interface Pixels {
  readonly pixels: tf.Tensor;
  readonly factors?: tf.Tensor;
}

/** Puts arrays as they are (tokens among them), and normalises bytes there: [batch, side, side, 3]. */
export async function imagesOnDevice(engine: Engine, images: NdArray | PixelImages): Promise<Value> {
  if (!('pixels' in images)) return engine.put(images);
  const { mean, std, pixels, factors } = images;
  const run = engine.compile(`normalised by ${mean} and ${std}`, ({ pixels, factors }: Pixels) => {
    const bytes = pixels.cast('float32');
    const coloured = factors ? jittered(bytes, tf.split(factors, 3, 1)) : bytes;
    return { images: normalised(coloured, { mean, std }) };
  });
  const given = { pixels: engine.put(pixels), ...(factors && { factors: engine.put(factors) }) };
  const made = await run(given);
  engine.free(given);
  return made.images;
}
