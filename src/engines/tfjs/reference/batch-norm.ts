import type { Tensor, Tensor1D, Tensor3D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { differentiable } from '../differentiable.ts';

/**
 * Batch norm with the statistics of each time step: ŷ = (y − mean) · r with r = 1 / √(variance + ε), and the output `ŷ · gamma + beta`.
 *
 * Backward, over the rows of a step: `dL/dy = gamma · r · (g − mean(g) − ŷ · mean(g · ŷ))`, `dL/dgamma = Σ g · ŷ`, `dL/dbeta = Σ g`.
 *
 * @param y [T, rows, C]
 */
export function normaliseBySteps(y: Tensor3D, gamma: Tensor1D, beta: Tensor1D, epsilon: number): Tensor3D {
  return differentiable([y, gamma, beta], () => {
    const { mean, variance } = tf.moments(y, 1, true);
    const r = tf.rsqrt(tf.add(variance, epsilon)); // [T, 1, C]
    const normalised = tf.mul(tf.sub(y, mean), r);
    return {
      value: tf.add(tf.mul(normalised, gamma), beta),
      keep: [normalised, r, gamma],
      backward: (g, kept) => {
        const [normalised, r, gamma] = kept as [Tensor, Tensor, Tensor];
        const projected = tf.mul(g, normalised);
        const centred = tf.sub(g, tf.mean(g, 1, true));
        const dy = tf.sub(centred, tf.mul(normalised, tf.mean(projected, 1, true)));
        return [tf.mul(dy, tf.mul(r, gamma)), tf.sum(projected, [0, 1]), tf.sum(g, [0, 1])];
      },
    };
  });
}
