import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { differentiable } from './differentiable.ts';

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
  return tf.pad4d(gradient, [
    [0, 0],
    [0, height - rows * size],
    [0, width - columns * size],
    [0, 0],
  ]);
}
