import type { Scalar, Tensor, Tensor2D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { ShapeError } from '../../../formats/tensor.ts';
import { differentiable } from './differentiable.ts';

/**
 * The firing rates of the classes: the mean over each class's group of output neurons, and over `steps` steps at a time.
 *
 * @param spikes [T·N, classes · group], time outermost
 * @returns [N, classes]; with one step at a time, each step's outputs, [T·N, classes]
 */
export function classRates(spikes: Tensor2D, steps: number, group: number): Tensor2D {
  return differentiable([spikes], () => {
    const [rows, outputs] = spikes.shape;
    const samples = rows / steps;
    const votes = tf.reshape(spikes, [steps, samples, outputs / group, group]);
    return {
      value: tf.mean(votes, [0, 3]),
      keep: [],
      backward: (dy) => {
        const share = tf.reshape(tf.div(dy, steps * group), [1, samples, outputs / group, 1]);
        return [tf.reshape(tf.tile(share, [steps, 1, 1, group]), [rows, outputs])];
      },
    };
  });
}

/**
 * The mean squared error against one-hot labels, over samples, classes and, if there are any, steps.
 *
 * @param rates [N, classes], or each step's outputs, [T·N, classes]
 */
export function meanSquaredError(rates: Tensor2D, labels: Int32Array): Scalar {
  return differentiable([rates], () => {
    const [rows, classes] = rates.shape;
    const targets = new Float32Array(rows * classes);
    for (let row = 0; row < rows; row++) targets[row * classes + labels[row % labels.length]!] = 1;
    const error = tf.sub(rates, tf.tensor2d(targets, [rows, classes]));
    return {
      value: tf.mean(tf.square(error)),
      keep: [error],
      backward: (dy, [error]) => [tf.mul(dy, tf.mul(error as Tensor, 2 / (rows * classes)))],
    };
  });
}

/**
 * The regulariser of a layer with τ per channel or neuron, using the unbiased variance, and its gradient by w:
 *
 *   w:   λ · Var(w), gradient 2 λ (w − mean of w) / (n − 1)
 *   τ:   λ · Var(τ) with τ = 1 + e^−w, gradient 2 λ (τ − mean of τ) / (n − 1) · dτ/dw, and dτ/dw = −e^−w
 *
 * @param w logits of 1/τ, at least 2
 * @throws {ShapeError} if there is only one: its variance is undefined
 * @see Pazderka 2024, whose text uses τ and whose published code uses w
 */
export function tauVariancePenalty(
  w: Tensor,
  lambda: number,
  of: 'w' | 'tau' = 'w',
): { value: Scalar; gradient: Tensor } {
  if (w.size < 2) {
    throw new ShapeError(
      `the regulariser needs the variance of a layer's time constants: at least 2, got ${w.size}`,
    );
  }
  const values = of === 'tau' ? tf.exp(tf.neg(w)) : w; // τ − 1 has the variance of τ
  const deviation = tf.sub(values, tf.mean(values));
  const gradient = tf.mul(deviation, (2 * lambda) / (w.size - 1));
  return {
    value: tf.mul(tf.sum<Scalar>(tf.square(deviation)), lambda / (w.size - 1)),
    gradient: of === 'tau' ? tf.mul(gradient, tf.neg(values)) : gradient,
  };
}

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
