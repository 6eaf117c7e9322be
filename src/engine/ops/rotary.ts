/**
 * Rotary position embedding (Su et al. 2021) in the layout of Hugging Face's LLaMA: feature i of a head is rotated
 * together with feature i + headWidth / 2 (rotate_half in transformers/models/llama/modeling_llama.py).
 */
import tf = require('@tensorflow/tfjs');

import { runFused, type Tensors } from './fused-kernel.js';

/** Cosines and sines of the angle of every token and pair of features: both [tokens, headWidth / 2]. */
export interface Rotation {
  readonly cosine: tf.Tensor;
  readonly sine: tf.Tensor;
}

/** @param x [batch, tokens, heads * headWidth]; @returns the same shape */
export function rotary(x: tf.Tensor, { cosine, sine }: Rotation): tf.Tensor {
  return runFused('EstaRotary', { x, cosine, sine })[0]!;
}

tf.registerGradient({
  kernelName: 'EstaRotary',
  inputsToSave: ['cosine', 'sine'],
  // A rotation is orthogonal: its transpose turns back.
  gradFunc: (dy, [cosine, sine]) => ({
    x: () => runFused('EstaRotary', { x: dy as tf.Tensor, cosine: cosine!, sine: sine!.neg() })[0]!,
  }),
});

export function decomposedRotary({ x, cosine, sine }: Tensors<'x' | 'cosine' | 'sine'>): tf.Tensor[] {
  const [batch, tokens, width] = x.shape as [number, number, number];
  const half = cosine.shape[1]!;
  const heads = width / (2 * half);
  const [low, high] = tf.unstack(x.reshape([batch, tokens, heads, 2, half]), 3) as [tf.Tensor, tf.Tensor];
  const [c, s] = [cosine, sine].map((table) => table.reshape([1, tokens, 1, half])) as [tf.Tensor, tf.Tensor];
  const turned = tf.stack([low.mul(c).sub(high.mul(s)), high.mul(c).add(low.mul(s))], 3);
  return [turned.reshape(x.shape)];
}
