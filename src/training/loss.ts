/** Losses over logits [batch, classes], averaged over the batch. */
import * as tf from '@tensorflow/tfjs';

/** Cross-entropy with soft targets [batch, classes] that sum to one. */
export function softCrossEntropy(logits: tf.Tensor, targets: tf.Tensor): tf.Scalar {
  return tf.logSoftmax(logits).mul(targets).sum(-1).mean().neg() as tf.Scalar;
}

/**
 * Cross-entropy with labels int32 [batch].
 * @param smoothing share of the target spread evenly over all classes; default 0
 */
export function crossEntropy(logits: tf.Tensor, labels: tf.Tensor, smoothing = 0): tf.Scalar {
  return softCrossEntropy(logits, smoothedTargets(labels, logits.shape[1]!, smoothing));
}

/** Labels int32 [batch] -> targets [batch, classes]. */
export function smoothedTargets(labels: tf.Tensor, classes: number, smoothing: number): tf.Tensor {
  const off = smoothing / classes;
  return tf.oneHot(labels as tf.Tensor1D, classes, 1 - smoothing + off, off, 'float32');
}

/**
 * In-place distillation (paper section 4.2): the stitch follows the soft predictions of the largest anchor, which gets no
 * gradient from it. With a temperature T both are softened and the loss is scaled by T^2 (Hinton et al. 2015).
 */
export function distillation(logits: tf.Tensor, teacherLogits: tf.Tensor, temperature: number): tf.Scalar {
  const targets = tf.softmax(teacherLogits.div(temperature));
  return softCrossEntropy(logits.div(temperature), targets).mul(temperature ** 2);
}
