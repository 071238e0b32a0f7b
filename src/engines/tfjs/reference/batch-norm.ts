import type { Tensor, Tensor1D, Tensor3D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { differentiable } from '../differentiable.ts';

/**
 * Batch norm with separate statistics for each time step: `ŷ = (y − mean) · r` with `r = 1 / √(variance + ε)`, and the output
 * `ŷ · weight + bias`.
 *
 * Backward, where g = dL/d(output) and means are over a step's rows: `dL/dy = weight · r · (g − mean(g) − ŷ · mean(g · ŷ))`,
 * `dL/dweight = Σ g · ŷ`, `dL/dbias = Σ g`.
 *
 * @param y [T, rows, C]
 * @param weight and bias, [C]
 */
export function normaliseBySteps(y: Tensor3D, weight: Tensor1D, bias: Tensor1D, epsilon: number): Tensor3D {
  return differentiable([y, weight, bias], () => {
    const { mean, variance } = tf.moments(y, 1, true);
    const inverseDeviation = tf.rsqrt(tf.add(variance, epsilon)); // [T, 1, C]
    const normalised = tf.mul(tf.sub(y, mean), inverseDeviation);
    return {
      value: tf.add(tf.mul(normalised, weight), bias),
      keep: [normalised, inverseDeviation, weight],
      backward: (gradient, kept) => {
        const [normalised, inverseDeviation, weight] = kept as [Tensor, Tensor, Tensor];
        const projected = tf.mul(gradient, normalised);
        const centred = tf.sub(gradient, tf.mean(gradient, 1, true));
        const direction = tf.sub(centred, tf.mul(normalised, tf.mean(projected, 1, true)));
        return [
          tf.mul(direction, tf.mul(inverseDeviation, weight)),
          tf.sum(projected, [0, 1]),
          tf.sum(gradient, [0, 1]),
        ];
      },
    };
  });
}
