import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

/** A value and how to get from its gradient to those of the inputs. */
export interface Differentiable {
  readonly value: Tensor;
  /** Tensors that `backward` needs; whatever else it closes over is gone by then. */
  readonly keep: readonly Tensor[];
  /** dL/d(input) for each input, from dL/d(value) and the tensors kept. */
  readonly backward: (dy: Tensor, kept: readonly Tensor[]) => Tensor[];
}

/**
 * Makes one operation with its own gradient out of many: `tf.customGrad` with tensors for types.
 *
 * tfjs-core for Node comes without the gradients of its own operations (they are part of `@tensorflow/tfjs`, which brings browser
 * backends, layers and converters along), so each step of the reference says its own.
 */
export function differentiable<Result extends Tensor>(
  inputs: readonly Tensor[],
  forward: () => Differentiable,
): Result {
  const operation = tf.customGrad((...given) => {
    const save = given.at(-1);
    if (typeof save !== 'function') throw new Error('tfjs gave no function that saves tensors');
    const { value, keep, backward } = forward();
    save([...keep]);
    return { value, gradFunc: (dy, kept) => backward(dy as Tensor, kept) };
  });
  return operation(...inputs) as Result;
}

/** The logistic function. */
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
