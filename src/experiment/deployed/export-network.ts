/** A deployed stitch as one ONNX file that takes plain pixels and says what it is. */
import * as tf from '@tensorflow/tfjs';
import { exportModel } from '../../engine/onnx/export.js';
import { writeAtomic } from '../../shared/files.js';
import type { StitchNetwork, StitchWeights } from './trained-trial.js';

export interface ExportedNetwork {
  readonly file: string;
  readonly bytes: number;
  /** Shape of the input `images`: [batch, height, width, 3], RGB from 0 to 255. */
  readonly images: readonly number[];
}

/** Writes a stitch as `onnxModelOf` makes it. */
export async function exportNetwork(network: StitchNetwork, file: string, batchSize: number): Promise<ExportedNetwork> {
  const { model, images } = onnxModelOf(network, batchSize);
  await writeAtomic(file, model);
  return { file, bytes: model.length, images };
}

/**
 * Input `images`, float32 [batch, side, side, 3], RGB from 0 to 255, resized and cropped as the metadata `preprocessing`
 * says; output `logits` [batch, classes]. Metadata `classes` and `stitch` hold JSON.
 */
export function onnxModelOf(
  { weights, preprocessing, classes, trial, result, logits }: StitchNetwork,
  batchSize: number,
): { readonly model: Uint8Array } & Pick<ExportedNetwork, 'images'> {
  const { crop, mean, std, ...rest } = preprocessing;
  const images = [batchSize, crop, crop, 3];
  interface Given {
    readonly weights: StitchWeights<tf.Tensor>;
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
  return { model, images };
}
