/**
 * Fused kernels are TensorFlow.js kernels of our own. The onnxruntime engine maps each to a few ONNX operators
 * (src/engine/onnx/kernels/fused.ts and language.ts); other backends run the decomposition into plain operations that
 * stands beside each op. Their gradients are registered (not made by tf.customGrad), so that only those are computed
 * that somebody asks for.
 */
import tf = require('@tensorflow/tfjs');

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
  | 'EstaGroupedAttentionGrad'
  | 'EstaQuantisedLinear'
  | 'EstaQuantisedLinearGrad';

/** On engines with memory of its kind alone; nothing decomposes it. */
export type CachedKernel = 'EstaCachedAttention';

export function runFused(
  kernel: FusedKernel | CachedKernel,
  inputs: Record<string, tf.Tensor>,
  attributes: Record<string, unknown> = {},
): tf.Tensor[] {
  const outputs = tf.engine().runKernel(kernel, inputs, attributes as tf.NamedAttrMap) as unknown;
  return (Array.isArray(outputs) ? outputs : [outputs]) as tf.Tensor[];
}

/** The same computation out of plain TensorFlow.js operations. */
export type Decomposition = (inputs: never, attributes: never) => tf.Tensor[];

/** The inputs of a kernel. */
export type Tensors<Names extends string> = Readonly<Record<Names, tf.Tensor>>;
