/** A deployed stitch as one ONNX file that takes plain pixels and says what it is. */
import * as tf from '@tensorflow/tfjs';
import { exportModel } from '../../engine/onnx/export.js';
import { writeAtomic } from '../../shared/files.js';
import type { DeployedNetwork, DeployedWeights } from './deployed-network.js';

export interface ExportedNetwork {
  readonly file: string;
  readonly bytes: number;
  /** Shape of the input `images`: [batch, height, width, 3], RGB from 0 to 255. */
  readonly images: readonly number[];
}

/**
 * Input `images`, float32 [batch, side, side, 3], RGB from 0 to 255, resized and cropped as the metadata `preprocessing`
 * says; output `logits` [batch, classes]. Metadata `classes` and `stitch` hold JSON.
 */
export async function exportNetwork(
  { weights, preprocessing, classes, trial, result, logits }: DeployedNetwork,
  file: string,
  batchSize: number,
): Promise<ExportedNetwork> {
  const { crop, mean, std, ...rest } = preprocessing;
  const images = [batchSize, crop, crop, 3];
  interface Given {
    readonly weights: DeployedWeights<tf.Tensor>;
    readonly images: tf.Tensor;
  }
  const fn = ({ weights, images }: Given) => {
    const scale = tf.tensor1d(std.map((deviation) => 1 / (255 * deviation)));
    const shift = tf.tensor1d(mean.map((value, channel) => -value / std[channel]!));
    return { logits: logits(weights, images.mul(scale).add(shift)) };
  };
  const model = exportModel({
    fn,
    inputs: { images: { shape: images, dtype: 'float32' }, weights },
    metadata: {
      classes: JSON.stringify(classes),
      preprocessing: JSON.stringify({ crop, ...rest }),
      stitch: JSON.stringify({ trial, ...result }),
    },
  });
  await writeAtomic(file, model);
  return { file, bytes: model.length, images };
}
