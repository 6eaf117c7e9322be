/** Colours of images, changed and normalised on the device as data/images/augment.ts does on the host. */
import tf = require('@tensorflow/tfjs');

import type { Preprocessing } from '../../data/images/preprocessing.js';

/** Values from 0 to 255 [batch, side, side, 3] -> what a network sees. */
export function normalised(pixels: tf.Tensor, { mean, std }: Pick<Preprocessing, 'mean' | 'std'>): tf.Tensor {
  const scale = tf.tensor1d(std.map((deviation) => 1 / (255 * deviation)));
  return pixels.mul(scale).sub(tf.tensor1d(mean.map((value, channel) => value / std[channel]!)));
}

/** Luminance weights of ITU-R 601-2. */
const luminance = [0.299, 0.587, 0.114];

/**
 * Brightness, then contrast, then saturation, on values in [0, 255].
 * @param factors of the three, [batch, 1] each
 */
export function jittered(images: tf.Tensor, factors: readonly (tf.Tensor | undefined)[]): tf.Tensor {
  const [brightness, contrast, saturation] = factors.map((factor) => factor!.reshape([-1, 1, 1, 1]));
  const grey = (pixels: tf.Tensor) => pixels.mul(tf.tensor1d(luminance)).sum(-1, true);
  const bright = images.mul(brightness!);
  const mean = grey(bright).mean([1, 2], true);
  const contrasted = tf.clipByValue(bright.mul(contrast!).add(mean.mul(tf.sub(1, contrast!))), 0, 255);
  const mixed = contrasted.mul(saturation!).add(grey(contrasted).mul(tf.sub(1, saturation!)));
  return tf.clipByValue(mixed, 0, 255);
}
