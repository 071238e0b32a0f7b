import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createCpuEngine } from '../../../src/engines/tfjs/engine.ts';
import {
  averagePool,
  convolve,
  flatten,
  linear,
  maxPoolFirst,
  normalise,
  repeatOverSteps,
} from '../../../src/engines/tfjs/layers.ts';
import '../../support/all-close.ts';
import { randomArray, randomNumbers } from '../../support/random.ts';

beforeAll(() => {
  createCpuEngine('test');
  tf.setBackend('cpu');
});
beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());

const random = randomNumbers(3);
const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
const uniform = (...shape: number[]): tf.Tensor => tf.tensor(randomArray(sizeOf(shape), random), shape);
/** Values a tenth apart, so that a small step does not change a maximum. */
const distinct = (...shape: number[]): tf.Tensor =>
  tf.tensor(
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => ((i * 17) % sizeOf(shape)) / 10),
    shape,
  );

describe('the layers', () => {
  it('assign the gradient of a tie to the first maximum in row-major order', () => {
    const x = tf.tensor4d([0, 1, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1], [1, 4, 4, 1]);
    const dy = tf.tensor4d([1, 2, 3, 4], [1, 2, 2, 1]);
    const dx = tf.grad((x: tf.Tensor) => maxPoolFirst(x as tf.Tensor4D, 2))(x, dy);
    expect([...dx.dataSync()]).toEqual([0, 1, 2, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 4]);
  });

  it('normalise each time step by its own statistics, and return these', () => {
    // Two steps of one sample with two pixels and a channel: 1 and 3 (mean 2, variance 1), 10 and 30 (mean 20, variance 100).
    const norm = { weight: tf.tensor1d([2]), bias: tf.tensor1d([0.5]), epsilon: 0 };
    const x = tf.tensor4d([1, 3, 10, 30], [2, 1, 2, 1]);
    const { values, mean, variance } = normalise(x, 2, norm);
    expect(values.shape).toEqual([2, 1, 2, 1]);
    expect([...values.dataSync()]).toEqual([-1.5, 2.5, -1.5, 2.5]);
    expect([mean.shape, ...mean.dataSync()]).toEqual([[2, 1], 2, 20]);
    expect([variance.shape, ...variance.dataSync()]).toEqual([[2, 1], 1, 100]);
  });

  it('repeat a still image over the steps, and add up the gradients of the steps', () => {
    const x = tf.tensor4d([1, 2, 3, 4], [2, 1, 1, 2]);
    const y = repeatOverSteps(x, 3);
    expect(y.shape).toEqual([6, 1, 1, 2]);
    expect([...y.dataSync()]).toEqual([1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4]);
    const dy = tf.tensor4d([1, 2, 3, 4, 10, 20, 30, 40, 100, 200, 300, 400], [6, 1, 1, 2]);
    expect([
      ...tf
        .grad((x: tf.Tensor) => repeatOverSteps(x, 3))(x, dy)
        .dataSync(),
    ]).toEqual([111, 222, 333, 444]);
  });

  /** Central differences for smooth functions; the spike's surrogate is checked against PyTorch instead. */
  it.each<[string, (inputs: tf.Tensor[]) => tf.Tensor, () => tf.Tensor[]]>([
    [
      'convolution',
      ([x, w]) => convolve(x as tf.Tensor4D, w as tf.Tensor4D, 1),
      () => [uniform(1, 3, 4, 2), uniform(3, 2, 3, 3)],
    ],
    ['linear', ([x, w]) => linear(x as tf.Tensor2D, w as tf.Tensor2D), () => [uniform(2, 3), uniform(4, 3)]],
    ['average pooling', ([x]) => averagePool(x as tf.Tensor4D, 2), () => [uniform(1, 5, 4, 2)]],
    ['max pooling', ([x]) => maxPoolFirst(x as tf.Tensor4D, 2), () => [distinct(1, 5, 4, 2)]],
    ['flattening', ([x]) => flatten(x as tf.Tensor4D), () => [uniform(2, 2, 3, 2)]],
    [
      'batch norm',
      ([x, weight, bias]) =>
        normalise(x!, 2, {
          weight: weight as tf.Tensor1D,
          bias: bias as tf.Tensor1D,
          epsilon: 1e-5,
        }).values,
      () => [uniform(2 * 2, 3, 2, 2), tf.add(1.5, uniform(2)), uniform(2)],
    ],
    ['repeating', ([x]) => repeatOverSteps(x!, 3), () => [uniform(2, 3, 2, 2)]],
  ])('differentiate %s as finite differences do', (_, operation, makeInputs) => {
    const inputs = makeInputs();
    const value = operation(inputs);
    const coefficients = Float32Array.from({ length: value.size }, (_, i) => Math.cos(i));
    const loss = (at: tf.Tensor[]): number => {
      const values = operation(at).dataSync();
      return coefficients.reduce((sum, coefficient, i) => sum + coefficient * values[i]!, 0);
    };
    const dy = tf.tensor(coefficients, value.shape, 'float32');
    const gradients = tf.grads((...at: tf.Tensor[]) => operation(at))(inputs, dy);
    inputs.forEach((input, which) => {
      const numeric = Array.from({ length: input.size }, (_, i) => {
        const shifted = (by: number) => {
          const data = input.dataSync().slice();
          data[i]! += by;
          return loss(inputs.map((one, j) => (j === which ? tf.tensor(data, input.shape, 'float32') : one)));
        };
        return (shifted(1e-2) - shifted(-1e-2)) / 2e-2;
      });
      expect(gradients[which]!.dataSync()).toBeAllclose(numeric, { relative: 1e-3 });
    });
  });
});
