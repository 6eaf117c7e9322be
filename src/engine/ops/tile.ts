/**
 * Repetition along axes. TensorFlow.js adds up its gradient copy by copy: a slice and a sum for each image of a batch. Here
 * one sum over the copies does it.
 */
import tf = require('@tensorflow/tfjs');

/** x repeated `repeats[axis]` times along each of its axes, as tf.tile. */
export function tile(x: tf.Tensor, repeats: readonly number[]): tf.Tensor {
  return tf.tile(x, [...repeats]);
}

tf.registerGradient({
  kernelName: 'Tile',
  inputsToSave: ['x'],
  gradFunc: (dy, [x], { reps }) => ({
    x: () => {
      const repeats = reps as unknown as number[];
      const copies = x!.shape.flatMap((extent, axis) => [repeats[axis]!, extent]);
      const repeated = repeats.flatMap((repeat, axis) => (repeat > 1 ? [2 * axis] : []));
      return (dy as tf.Tensor).reshape(copies).sum(repeated).reshape(x!.shape);
    },
  }),
});
