import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

/** Adam's constants and progress; PyTorch's defaults are β 0.9 and 0.999, ε 1e-8. */
export interface AdamStep {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** The number of this step, from 1. */
  readonly step: number;
}

export type Adam = (
  parameter: Tensor,
  gradient: Tensor,
  first: Tensor,
  second: Tensor,
  step: AdamStep,
) => [parameter: Tensor, first: Tensor, second: Tensor];

/**
 * One step of Adam on one parameter, as in PyTorch:
 * `m = β1·m + (1 − β1)·g`, `v = β2·v + (1 − β2)·g²`, `p −= lr / (1 − β1ᵗ) · m / (√v / √(1 − β2ᵗ) + ε)`.
 *
 * @returns new parameter, first and second moment
 */
export const adam: Adam = (parameter, gradient, first, second, options) => {
  const { learningRate, beta1, beta2, epsilon, step } = options;
  const m = tf.add(tf.mul(first, beta1), tf.mul(gradient, 1 - beta1));
  const v = tf.add(tf.mul(second, beta2), tf.mul(tf.square(gradient), 1 - beta2));
  const root = tf.add(tf.div(tf.sqrt(v), Math.sqrt(1 - beta2 ** step)), epsilon);
  return [tf.sub(parameter, tf.mul(tf.div(m, root), learningRate / (1 - beta1 ** step))), m, v];
};
