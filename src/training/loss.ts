/**
 * Losses over logits [batch, classes], averaged over the batch.
 *
 * Logits of language models are [batch, length, vocabulary], and a token predicts the next one. What is learned say the
 * labels, int32 [batch, length], of which negative ones are not (transformers/loss/loss_utils.py, ForCausalLMLoss). The
 * mean is over the tokens that are learned; a batch without any has the loss 0.
 */
import tf = require('@tensorflow/tfjs');

/** Cross-entropy with soft targets [batch, classes] that sum to one. */
export function softCrossEntropy(logits: tf.Tensor, targets: tf.Tensor): tf.Scalar {
  return tf.logSoftmax(logits).mul(targets).sum(-1).mean().neg() as tf.Scalar;
}

/**
 * Cross-entropy with labels int32 [batch], of language models [batch, length].
 * @param smoothing share of the target spread evenly over all classes; default 0. Of images only
 */
export function crossEntropy(logits: tf.Tensor, labels: tf.Tensor, smoothing = 0): tf.Scalar {
  if (logits.rank === 3) return tokenCrossEntropy(logits, labels);
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
 * @param labels say which tokens are learned; images do without
 */
export function distillation(
  logits: tf.Tensor,
  teacherLogits: tf.Tensor,
  labels: tf.Tensor,
  temperature: number,
): tf.Scalar {
  if (logits.rank === 3) return tokenDistillation(logits, teacherLogits, labels, temperature);
  const targets = tf.softmax(teacherLogits.div(temperature));
  return softCrossEntropy(logits.div(temperature), targets).mul(temperature ** 2);
}

function tokenCrossEntropy(logits: tf.Tensor, labels: tf.Tensor): tf.Scalar {
  const next = nextLabels(labels);
  // ONNX counts negative indices from the end.
  const known = tf.maximum(next, tf.scalar(0, 'int32')) as tf.Tensor1D;
  return meanOverLearned(logits, tf.oneHot(known, logits.shape[2]!), next);
}

/** At the tokens whose label is learned. */
function tokenDistillation(
  logits: tf.Tensor,
  teacherLogits: tf.Tensor,
  labels: tf.Tensor,
  temperature: number,
): tf.Scalar {
  const targets = tf.softmax(teacherLogits.div(temperature)).reshape([-1, logits.shape[2]!]);
  return meanOverLearned(logits.div(temperature), targets, nextLabels(labels)).mul(temperature ** 2);
}

/** The label that each token has to predict: [batch * length], negative at the end of a text. */
function nextLabels(labels: tf.Tensor): tf.Tensor {
  const [batch, length] = labels.shape as [number, number];
  const none = tf.fill([batch, 1], -1, 'int32');
  return tf.concat([labels.slice([0, 1], [batch, length - 1]), none], 1).reshape([batch * length]);
}

/** Cross-entropy with targets [batch * length, vocabulary]. */
function meanOverLearned(logits: tf.Tensor, targets: tf.Tensor, next: tf.Tensor): tf.Scalar {
  const learned = tf.greaterEqual(next, tf.scalar(0, 'int32')).cast('float32');
  const each = tf.logSoftmax(logits.reshape(targets.shape)).mul(targets).sum(-1);
  return each.mul(learned).sum().div(tf.maximum(learned.sum(), 1)).neg() as tf.Scalar;
}

/** What a language model says of each token [batch * length]; 0 at those that are not learned. */
export interface LearnedTokens {
  /** Logarithm of the probability of the label. */
  readonly logProbabilities: tf.Tensor;
  /** 1 where the label is the most probable token. */
  readonly right: tf.Tensor;
  /** 1 where the token is learned. */
  readonly learned: tf.Tensor;
}

/** @param logits [batch, length, vocabulary]; labels int32 [batch, length] */
export function learnedTokens(logits: tf.Tensor, labels: tf.Tensor): LearnedTokens {
  const next = nextLabels(labels);
  const learned = tf.greaterEqual(next, tf.scalar(0, 'int32')).cast('float32');
  const rows = logits.reshape([next.size, logits.shape[2]!]);
  const known = tf.maximum(next, tf.scalar(0, 'int32')) as tf.Tensor1D;
  const each = tf.logSoftmax(rows).mul(tf.oneHot(known, logits.shape[2]!)).sum(-1);
  const right = rows.argMax(-1).equal(known).cast('float32');
  return { logProbabilities: each.mul(learned), right: right.mul(learned), learned };
}
