import type { Tensor, Tensor1D, Tensor2D, Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { differentiable, reshape } from './differentiable.ts';

/*
 * The layers composed of tfjs' own operations, each with its gradient, for any backend.
 *
 * Activations are channels-last with time folded into the batch, time outermost: [T·N, H, W, C] or [T·N, F], so that a time step is
 * contiguous. Parameters keep PyTorch's names and layouts everywhere (conv weight [out, in, kh, kw], linear weight [out, in],
 * w [1, C, H, W]); each operation rearranges what it needs. `flatten` restores PyTorch's order of features.
 */

/**
 * A convolution with stride 1 and without bias.
 *
 * @param x [B, H, W, in]
 * @param weight [out, in, k, k], as PyTorch has it
 */
export function convolve(x: Tensor4D, weight: Tensor4D, padding: number): Tensor4D {
  const kernel = weight.shape[2];
  const whole = 2 * padding - kernel + 1;
  const [batch, height, width, inChannels] = x.shape;
  const border: [number, number] = [padding, padding];
  // tfjs-node only supports the paddings `same` and `valid`, not a number of zeros.
  const pad = whole === 0 ? 'same' : 'valid';
  const edges = whole === 0 ? 0 : padding;
  const padded = (image: Tensor4D): Tensor4D =>
    edges === 0 ? image : tf.pad4d(image, [[0, 0], border, border, [0, 0]]);
  const filterOf = (weight: Tensor4D): Tensor4D => tf.transpose(weight, [2, 3, 1, 0]); // [kh, kw, in, out]
  const attributes = { strides: 1, pad, dataFormat: 'NHWC', dimRoundingMode: null as never } as const;

  return differentiable([x, weight], () => ({
    value: tf.conv2d(padded(x), filterOf(weight), 1, pad),
    keep: [x, weight],
    backward: (dy, kept) => {
      const [x, weight] = kept as [Tensor4D, Tensor4D];
      const filter = filterOf(weight);
      const inputShape: number[] = [batch, height + 2 * edges, width + 2 * edges, inChannels];
      const dx: Tensor4D = tf
        .engine()
        .runKernel('Conv2DBackpropInput', { dy, filter }, { ...attributes, inputShape });
      const filterShape: number[] = filter.shape;
      const dFilter: Tensor4D = tf
        .engine()
        .runKernel('Conv2DBackpropFilter', { x: padded(x), dy }, { ...attributes, filterShape });
      return [
        tf.slice4d(dx, [0, edges, edges, 0], [batch, height, width, inChannels]),
        tf.transpose(dFilter, [3, 2, 0, 1]),
      ];
    },
  }));
}

/** `y = x · weightᵀ`. x [B, in], weight [out, in]. */
export function linear(x: Tensor2D, weight: Tensor2D): Tensor2D {
  return differentiable([x, weight], () => ({
    value: tf.matMul(x, weight, false, true),
    keep: [x, weight],
    backward: (dy, kept) => {
      const [x, weight] = kept as [Tensor2D, Tensor2D];
      return [tf.matMul(dy as Tensor2D, weight), tf.matMul(dy as Tensor2D, x, true, false)];
    },
  }));
}

/** The mean of non-overlapping windows; incomplete windows are dropped. x [B, H, W, C]. */
export function averagePool(x: Tensor4D, size: number): Tensor4D {
  return differentiable([x], () => ({
    value: tf.avgPool(x, size, size, 'valid'),
    keep: [],
    backward: (dy) => {
      const [batch, height, width, channels] = x.shape;
      const [, rows = 0, columns = 0] = dy.shape;
      const share = tf.reshape(tf.div(dy, size * size), [batch, rows, 1, columns, 1, channels]);
      const spread = tf.reshape<tf.Rank.R4>(tf.tile(share, [1, 1, size, 1, size, 1]), [
        batch,
        rows * size,
        columns * size,
        channels,
      ]);
      return [padTo(spread, height, width)];
    },
  }));
}

/** [B, H, W, C] to [B, C·H·W]. */
export function flatten(x: Tensor4D): Tensor2D {
  const [batch, height, width, channels] = x.shape;
  return differentiable([x], () => ({
    value: tf.reshape(tf.transpose(x, [0, 3, 1, 2]), [batch, -1]),
    keep: [],
    backward: (dy) => [tf.transpose(tf.reshape(dy, [batch, channels, height, width]), [0, 2, 3, 1])],
  }));
}

/** x [T·N, F] times mask [N, F] at every step. */
export function maskOverSteps(x: Tensor2D, mask: Tensor2D): Tensor2D {
  const multiply = (values: Tensor, mask: Tensor): Tensor =>
    tf.reshape(tf.mul(tf.reshape(values, [-1, ...mask.shape]), mask), x.shape);
  return differentiable([x], () => ({
    value: multiply(x, mask),
    keep: [mask],
    backward: (dy, [mask]) => [multiply(dy, mask as Tensor)],
  }));
}

/** x [N, ...] at each of T steps, [T·N, ...]. In the backward pass, the gradients of all steps add up. */
export function repeatOverSteps(x: Tensor, steps: number): Tensor {
  const { shape } = x;
  return differentiable([x], () => ({
    value: tf.tile(x, [steps, ...shape.slice(1).map(() => 1)]),
    keep: [],
    backward: (dy) => [tf.sum(tf.reshape(dy, [steps, ...shape]), 0)],
  }));
}

/**
 * Max pooling whose gradient goes to the first maximum of each window in row-major order, as in PyTorch. Binary maps often have ties,
 * which tfjs leaves to the backend.
 *
 * @param x [B, H, W, C]
 */
export function maxPoolFirst(x: Tensor4D, size: number): Tensor4D {
  return differentiable([x], () => ({
    value: tf.maxPool(x, size, size, 'valid'),
    keep: [x],
    backward: (dy, [x]) => [spread(dy as Tensor4D, x as Tensor4D, size)],
  }));
}

function spread(dy: Tensor4D, x: Tensor4D, size: number): Tensor4D {
  const [batch, height, width, channels] = x.shape;
  const [, rows, columns] = dy.shape;
  const whole = tf.slice(x, [0, 0, 0, 0], [batch, rows * size, columns * size, channels]);
  const byRow = tf.reshape(whole, [batch * rows, size, columns * size * channels]);
  const largest = tf.maxPool(x, size, size, 'valid');
  let free: Tensor = tf.onesLike(dy); // 1 where no maximum has been found yet
  const gradientRows: Tensor[] = [];
  for (let row = 0; row < size; row++) {
    const line = tf.reshape(tf.slice(byRow, [0, row, 0], [-1, 1, -1]), [
      batch * rows * columns,
      size,
      channels,
    ]);
    const cells: Tensor[] = [];
    for (let column = 0; column < size; column++) {
      const values = tf.reshape(tf.slice(line, [0, column, 0], [-1, 1, -1]), dy.shape);
      const first = tf.mul(tf.cast(tf.equal(values, largest), 'float32'), free);
      free = tf.sub(free, first);
      cells.push(tf.mul(dy, first));
    }
    gradientRows.push(tf.reshape(tf.stack(cells, 3), [batch, rows, columns * size, channels]));
  }
  const gradient = tf.reshape<tf.Rank.R4>(tf.stack(gradientRows, 2), [
    batch,
    rows * size,
    columns * size,
    channels,
  ]);
  return padTo(gradient, height, width);
}

/** Zeros below and to the right, where incomplete windows were dropped. */
function padTo(x: Tensor4D, height: number, width: number): Tensor4D {
  const [below, right]: [number, number][] = [
    [0, height - x.shape[1]],
    [0, width - x.shape[2]],
  ];
  return tf.pad4d(x, [[0, 0], below!, right!, [0, 0]]);
}

/** Batch norm's statistics: mean and biased variance of each time step and channel, [T, C]. */
export interface NormStatistics {
  readonly mean: Tensor2D;
  readonly variance: Tensor2D;
}

interface NormInput {
  readonly weight: Tensor1D;
  readonly bias: Tensor1D;
  readonly epsilon: number;
}

/** Batch norm with separate statistics for each of `steps` time steps. x [T·N, H, W, C] or [T·N, F]; the values are shaped like it. */
export function normalise(
  x: Tensor,
  steps: number,
  { weight, bias, epsilon }: NormInput,
): NormStatistics & { readonly values: Tensor } {
  const [channels] = weight.shape;
  const shape: [number, number, number] = [steps, x.size / (steps * channels), channels];
  const { mean, variance } = tf.moments(tf.reshape(x, shape), 1);
  const byStep = normaliseBySteps(reshape<Tensor3D>(x, shape), weight, bias, epsilon);
  return { values: reshape(byStep, x.shape), mean: mean as Tensor2D, variance: variance as Tensor2D };
}

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
function normaliseBySteps(y: Tensor3D, weight: Tensor1D, bias: Tensor1D, epsilon: number): Tensor3D {
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
