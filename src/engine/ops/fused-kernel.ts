/**
 * Fused kernels are TensorFlow.js kernels of our own. The onnxruntime engine maps each to a few ONNX operators
 * (src/engine/onnx/kernels/fused.ts and language.ts); other backends run the plain composition that stands beside each op. Being kernels
 * with registered gradients (not tf.customGrad), they compute only the gradients that somebody asks for.
 */
import * as tf from '@tensorflow/tfjs';

export type FusedKernel =
  | 'EstaLinear'
  | 'EstaLowRankLinear'
  | 'EstaLayerNorm'
  | 'EstaLayerNormGrad'
  | 'EstaGelu'
  | 'EstaGeluGrad'
  | 'EstaAttention'
  | 'EstaAttentionGrad'
  | 'EstaRmsNorm'
  | 'EstaRmsNormGrad'
  | 'EstaRotary'
  | 'EstaSwiGlu'
  | 'EstaSwiGluGrad'
  | 'EstaGroupedAttention'
  | 'EstaGroupedAttentionGrad';

export function runFused(
  kernel: FusedKernel,
  inputs: Record<string, tf.Tensor>,
  attributes: Record<string, unknown> = {},
): tf.Tensor[] {
  const outputs = tf.engine().runKernel(kernel, inputs, attributes as tf.NamedAttrMap) as unknown;
  return (Array.isArray(outputs) ? outputs : [outputs]) as tf.Tensor[];
}

/** The same computation out of plain TensorFlow.js operations. */
export type Composition = (inputs: Record<string, tf.Tensor>, attributes: never) => tf.Tensor[];
