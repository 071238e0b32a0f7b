import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

/** A value, and how to compute the inputs' gradients from its own. */
interface Differentiable {
  readonly value: Tensor;
  /** Tensors that `backward` needs; anything else it closes over has been disposed of by then. */
  readonly keep: readonly Tensor[];
  /** dL/d(input) for each input, from dL/d(value) and the kept tensors. */
  readonly backward: (dy: Tensor, kept: readonly Tensor[]) => Tensor[];
}

/**
 * Makes one operation with its own gradient out of several: a typed `tf.customGrad`.
 *
 * For Node, tfjs-core does not include the gradients of its own operations (they are part of `@tensorflow/tfjs`, which also contains browser
 * backends, layers and converters), so each step of the reference defines its own.
 */
export function differentiable<Result extends Tensor>(
  inputs: readonly Tensor[],
  forward: () => Differentiable,
): Result {
  const operation = tf.customGrad((...given) => {
    const save = given.at(-1);
    if (typeof save !== 'function') throw new Error('tfjs passed no function for saving tensors');
    const { value, keep, backward } = forward();
    save([...keep]);
    return { value, gradFunc: (dy, kept) => backward(dy as Tensor, kept) };
  });
  return operation(...inputs) as Result;
}

export function sigmoid(x: Tensor): Tensor {
  return differentiable([x], () => {
    const value = tf.sigmoid(x);
    return {
      value,
      keep: [value],
      backward: (dy, [y]) => [tf.mul(dy, tf.mul(y as Tensor, tf.sub(1, y as Tensor)))],
    };
  });
}

export function reshape<Result extends Tensor = Tensor>(x: Tensor, shape: readonly number[]): Result {
  const from = x.shape;
  return differentiable([x], () => ({
    value: tf.reshape(x, [...shape]),
    keep: [],
    backward: (dy) => [tf.reshape(dy, from)],
  }));
}
