/**
 * Views of images, made on the device: crops resized with the filter of data/images/resample.ts, mirrored, their colours
 * changed, normalised. Two small interpolation matrices for each image do the first two, so that bytes cross the bus once.
 * Beside the host's views, values are not rounded between and after the two passes: they differ by at most 1 of 255.
 */
import tf = require('@tensorflow/tfjs');

import type { Preprocessing } from '../../data/images/preprocessing.js';
import { jittered, normalised } from '../images/colours.js';

/**
 * Square images as bytes [batch, side, side, 3] -> [batch, side, side, 3], normalised.
 * @param views [batch, 7], see data/batches/raw-images.ts
 * @param jitters whether colours are changed; false saves the passes over all pixels
 */
export function viewsOnDevice(
  images: tf.Tensor,
  views: tf.Tensor,
  preprocessing: Pick<Preprocessing, 'mean' | 'std'>,
  jitters: boolean,
): tf.Tensor {
  const [batch, side] = images.shape as [number, number];
  const [left, width, top, height, ...factors] = tf.split(views, 7, 1) as (tf.Tensor | undefined)[];
  const pixels = images.cast('float32').reshape([batch, side, side * 3]);
  const rows = tf.matMul(interpolation(top!, height!, side), pixels);
  // Columns of the image become rows, so that one product for each image interpolates them.
  const turned = rows
    .reshape([batch, side, side, 3])
    .transpose([0, 2, 1, 3])
    .reshape([batch, side, side * 3]);
  const resized = tf.matMul(interpolation(left!, width!, side), turned);
  const upright = resized.reshape([batch, side, side, 3]).transpose([0, 2, 1, 3]);
  return normalised(jitters ? jittered(upright, factors) : upright, preprocessing);
}

/**
 * Bilinear weights of every pixel for every pixel of a view, antialiased where it shrinks: [batch, side, side]; weights of
 * a pixel of the view sum to 1.
 * @param from first edge of the window and `length` its extent, [batch, 1]; a negative length mirrors
 */
function interpolation(from: tf.Tensor, length: tf.Tensor, side: number): tf.Tensor {
  const centres = tf.range(0, side).add(0.5);
  const scale = length.div(side);
  const stretch = tf.maximum(scale.abs(), 1).expandDims(-1);
  const wanted = from.add(scale.mul(centres)).expandDims(-1);
  const distance = centres.reshape([1, 1, side]).sub(wanted).abs().div(stretch);
  const weights = tf.relu(tf.sub(1, distance));
  return weights.div(weights.sum(-1, true));
}
