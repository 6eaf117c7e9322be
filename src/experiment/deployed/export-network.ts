/** A stitch as one ONNX file that takes plain pixels and says what it is. */
import tf = require('@tensorflow/tfjs');

import type { OperatorSet, Precision } from '../../config/deployment-options.js';
import { exportModel } from '../../engine/onnx/files/export.js';
import { narrowToHalf } from '../../models/pretrained/formats/half.js';
import { describe, metadataOf } from './description.js';
import type { StitchNetwork, StitchWeights } from './trained-trial.js';

export interface FileOptions {
  /** Default `onnxruntime`: its fused operators beside those of the standard. */
  readonly operators?: OperatorSet;
  /** Of the weights in the file; default float32. The network computes in float32 in any case. */
  readonly precision?: Precision;
}

export interface OnnxModel {
  readonly model: Uint8Array;
  /** Shape of the input `images`: [batch, height, width, 3], RGB from 0 to 255. */
  readonly images: readonly (number | 'batch')[];
}

/**
 * Input `images`, float32 [batch, side, side, 3], RGB from 0 to 255, resized and cropped as the metadata `preprocessing`
 * says; output `logits` [batch, classes]. The metadata hold what `describe` says of the network, each entry as JSON.
 * @param batch images at once; left out: any number
 */
export function onnxModelOf(network: StitchNetwork, batch?: number, options: FileOptions = {}): OnnxModel {
  const { weights, preprocessing, logits } = network;
  const { operators = 'onnxruntime', precision = 'float32' } = options;
  const { crop, mean, std } = preprocessing;
  interface Given {
    readonly weights: StitchWeights<tf.Tensor>;
    readonly images: tf.Tensor;
  }
  const fn = ({ weights, images }: Given) => {
    const scale = tf.tensor1d(std.map((deviation) => 1 / (255 * deviation)));
    const shift = tf.tensor1d(mean.map((value, channel) => -value / std[channel]!));
    return { logits: logits(weights, images.mul(scale).add(shift)) };
  };
  const model = exportModel<Given>({
    fn,
    inputs: (size) => ({ images: { shape: [size, crop, crop, 3], dtype: 'float32' }, weights }),
    batch,
    operators,
    precision,
    toHalf: narrowToHalf,
    metadata: metadataOf(describe(network)),
  });
  return { model, images: [batch ?? 'batch', crop, crop, 3] };
}
