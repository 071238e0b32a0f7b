import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { Surrogate } from '../../../snn/spec.ts';

/** A surrogate's S'(z) on tensors; see snn/surrogate.ts for formulas and sources. @param z α · (h − threshold) */
export function surrogateDerivative(kind: Surrogate['kind'], z: Tensor): Tensor {
  switch (kind) {
    case 'atan':
      return tf.div(0.5, tf.add(1, tf.square(tf.mul(z, Math.PI / 2))));
    case 'sigmoid': {
      const value = tf.sigmoid(z);
      return tf.mul(value, tf.sub(1, value));
    }
    case 'triangle':
      return tf.relu(tf.sub(1, tf.abs(z)));
  }
}
