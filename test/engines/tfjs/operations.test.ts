import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createCpuEngine } from '../../../src/engines/tfjs/engine.ts';
import { kernelOperations } from '../../../src/engines/tfjs/kernel-operations.ts';
import type { LayerOperations } from '../../../src/engines/tfjs/operations/layer-operations.ts';
import { referenceOperations } from '../../../src/engines/tfjs/operations/reference-operations.ts';
import type { NeuronSpec } from '../../../src/snn/spec.ts';
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
/** Spikes with the given share of ones. */
const binary = (share: number, ...shape: number[]): tf.Tensor =>
  tf.tensor(
    randomArray(sizeOf(shape), random, (u) => (u < share ? 1 : 0)),
    shape,
  );
/** Values a tenth apart, so that a small step does not change a maximum. */
const distinct = (...shape: number[]): tf.Tensor =>
  tf.tensor(
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => ((i * 17) % sizeOf(shape)) / 10),
    shape,
  );

type Operation = (operations: LayerOperations, inputs: tf.Tensor[]) => tf.Tensor;

/** Both implementations give the same value and gradients. */
function expectAgreement(operation: Operation, inputs: tf.Tensor[]): void {
  const run = (operations: LayerOperations) => {
    const apply = (...values: tf.Tensor[]) => operation(operations, values);
    const value = apply(...inputs);
    const dy = tf.tensor(
      Float32Array.from({ length: value.size }, (_, i) => Math.sin(i + 1)),
      value.shape,
      'float32',
    );
    return { value, gradients: tf.grads(apply)(inputs, dy) };
  };
  const reference = run(referenceOperations);
  const kernels = run(kernelOperations);
  expect(kernels.value.shape).toEqual(reference.value.shape);
  expect(kernels.value.dataSync()).toBeAllclose(reference.value.dataSync());
  reference.gradients.forEach((gradient, i) => {
    expect(kernels.gradients[i]!.shape).toEqual(gradient.shape);
    expect(kernels.gradients[i]!.dataSync(), `gradient ${i}`).toBeAllclose(gradient.dataSync(), {
      relative: 2e-5,
    });
  });
}

describe('the kernels agree with the composed operations on', () => {
  it.each([
    ['sparse spikes', 0.1, [2, 5, 7, 3], [4, 3, 3, 3], 1],
    ['dense input', 1, [2, 5, 7, 3], [4, 3, 3, 3], 1],
    ['one channel in and an odd number out', 0.5, [1, 4, 4, 1], [5, 1, 3, 3], 1],
    ['a pixel', 1, [3, 1, 1, 2], [2, 2, 3, 3], 1],
    ['no padding', 0.2, [2, 6, 5, 2], [3, 2, 3, 3], 0],
    ['a 5 x 5 kernel, padded by one', 0.2, [2, 6, 6, 2], [3, 2, 5, 5], 1],
    ['a 1 x 1 kernel', 0.2, [2, 3, 3, 4], [6, 4, 1, 1], 0],
    ['an input without a single spike', 0, [1, 4, 4, 2], [2, 2, 3, 3], 1],
  ] as const)('a convolution of %s', (_, share, image, weight, padding) => {
    const x = tf.mul(binary(share, ...image), tf.add(1, tf.abs(uniform(...image))));
    expectAgreement(
      (operations, [x, w]) => operations.convolve(x as tf.Tensor4D, w as tf.Tensor4D, padding),
      [x, uniform(...weight)],
    );
  });

  it.each([0.1, 1])('a linear layer on inputs with a share of %d', (share) => {
    expectAgreement(
      (operations, [x, w]) => operations.linear(x as tf.Tensor2D, w as tf.Tensor2D),
      [binary(share, 6, 9), uniform(5, 9)],
    );
  });

  it.each([2, 3])('max pooling of size %d over odd sizes and ties', (size) => {
    expectAgreement(
      (operations, [x]) => operations.pool(x as tf.Tensor4D, 'max', size),
      [binary(0.4, 3, 7, 5, 3)],
    );
  });

  it.each([1, 3])('batch norm without neurons over %d steps', (steps) => {
    expectAgreement(
      (operations, [x, weight, bias]) =>
        operations.normalise(x!, steps, {
          weight: weight as tf.Tensor1D,
          bias: bias as tf.Tensor1D,
          epsilon: 1e-5,
        }).values,
      [uniform(steps * 2, 4, 5, 3), tf.add(1, uniform(3)), uniform(3)],
    );
  });

  describe.each([
    { kind: 'hard', potential: 0, detach: true },
    { kind: 'hard', potential: -0.25, detach: false },
    { kind: 'soft', detach: true },
    { kind: 'soft', detach: false },
  ] as const)('neurons with reset %j', (reset) => {
    const neuron: NeuronSpec = {
      kind: 'plif',
      tau: { per: 'neuron', mean: 2, std: 0 },
      threshold: 0.7,
      reset,
      surrogate: { kind: 'atan', alpha: 2, learnable: true },
    };
    const steps = 4;
    const leakOf = (...shape: number[]) => tf.add(0.5, tf.mul(uniform(...shape), 0.3));

    it.each([
      ['one τ for the layer', 'atan', []],
      ['one τ a neuron', 'atan', [1, 3, 4, 5]],
      ['a logistic sigmoid', 'sigmoid', []],
      ['a triangle', 'triangle', [1, 3, 4, 5]],
    ] as const)('and batch norm, %s', (_, kind, leakShape) => {
      const surrogate = { ...neuron.surrogate, kind };
      expectAgreement(
        (operations, [current, leak, alpha, weight, bias]) =>
          operations.normaliseAndFire(
            {
              current: current!,
              leak: leak!,
              alpha: alpha as tf.Scalar,
              steps,
              neuron: { ...neuron, surrogate },
            },
            { weight: weight as tf.Tensor1D, bias: bias as tf.Tensor1D, epsilon: 1e-5 },
          ).spikes,
        [
          uniform(steps * 2, 4, 5, 3),
          leakOf(...leakShape),
          tf.scalar(2),
          tf.add(1, uniform(3)),
          tf.add(0.5, uniform(3)),
        ],
      );
    });

    it('and no batch norm', () => {
      expectAgreement(
        (operations, [current, leak, alpha]) =>
          operations.fire({ current: current!, leak: leak!, alpha: alpha as tf.Scalar, steps, neuron })
            .spikes,
        [tf.mul(uniform(steps * 2, 6), 3), leakOf(1, 6), tf.scalar(1.5)],
      );
    });

    it('give the same rates, means and variances', () => {
      const current = uniform(steps * 2, 4, 5, 3);
      const input = { current, leak: leakOf(), alpha: tf.scalar(2), steps, neuron };
      const norm = { weight: tf.tensor1d([1, 2, 3]), bias: tf.tensor1d([0, 0.5, -0.5]), epsilon: 1e-5 };
      const [a, b] = [referenceOperations, kernelOperations].map((one) => one.normaliseAndFire(input, norm));
      for (const key of ['rate', 'mean', 'variance'] as const) {
        expect(b![key].dataSync(), key).toBeAllclose(a![key].dataSync());
      }
      const scale = tf.tensor1d([1, 2, 3]);
      const shift = tf.tensor1d([0.1, 0.2, 0.3]);
      const [c, d] = [referenceOperations, kernelOperations].map((one) =>
        one.scaleAndFire(input, scale, shift),
      );
      expect(d!.spikes.dataSync()).toEqual(c!.spikes.dataSync());
      expect(d!.rate.dataSync()).toBeAllclose(c!.rate.dataSync());
    });
  });

  it('a step of Adam', () => {
    const step = { learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, step: 3 };
    const tensors = [uniform(3, 4), uniform(3, 4), uniform(3, 4), tf.abs(uniform(3, 4))] as const;
    const expected = referenceOperations.adam(...tensors, step);
    kernelOperations.adam(...tensors, step).forEach((tensor, i) => {
      expect(tensor.dataSync()).toBeAllclose(expected[i]!.dataSync());
    });
  });
});

describe.each([
  ['the kernels', kernelOperations],
  ['the composed operations', referenceOperations],
])('%s', (_, operations) => {
  it('assign the gradient of a tie to the first maximum in row-major order', () => {
    const x = tf.tensor4d([0, 1, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1], [1, 4, 4, 1]);
    const dy = tf.tensor4d([1, 2, 3, 4], [1, 2, 2, 1]);
    const dx = tf.grad((x: tf.Tensor) => operations.pool(x as tf.Tensor4D, 'max', 2))(x, dy);
    expect([...dx.dataSync()]).toEqual([0, 1, 2, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 4]);
  });

  it('normalise each time step by its own statistics, and return these', () => {
    // Two steps of one sample with two pixels and a channel: 1 and 3 (mean 2, variance 1), 10 and 30 (mean 20, variance 100).
    const norm = { weight: tf.tensor1d([2]), bias: tf.tensor1d([0.5]), epsilon: 0 };
    const x = tf.tensor4d([1, 3, 10, 30], [2, 1, 2, 1]);
    const { values, mean, variance } = operations.normalise(x, 2, norm);
    expect(values.shape).toEqual([2, 1, 2, 1]);
    expect([...values.dataSync()]).toEqual([-1.5, 2.5, -1.5, 2.5]);
    expect([mean.shape, ...mean.dataSync()]).toEqual([[2, 1], 2, 20]);
    expect([variance.shape, ...variance.dataSync()]).toEqual([[2, 1], 1, 100]);
  });

  it('give the same spikes for fused batch norm and neurons as for separate ones', () => {
    const neuron: NeuronSpec = {
      kind: 'plif',
      tau: { per: 'layer', mean: 2, std: 0 },
      threshold: 1,
      reset: { kind: 'hard', potential: 0, detach: true },
      surrogate: { kind: 'atan', alpha: 2, learnable: false },
    };
    const input = {
      current: uniform(8, 4, 5, 3),
      leak: tf.scalar(0.5),
      alpha: tf.scalar(2),
      steps: 4,
      neuron,
    };
    const norm = { weight: tf.tensor1d([1, 2, 3]), bias: tf.tensor1d([0, 0.5, -0.5]), epsilon: 1e-5 };
    const { values, ...seen } = operations.normalise(input.current, 4, norm);
    const { spikes, mean, variance } = operations.normaliseAndFire(input, norm);
    expect(operations.fire({ ...input, current: values }).spikes.dataSync()).toEqual(spikes.dataSync());
    expect(seen.mean.dataSync()).toEqual(mean.dataSync());
    expect(seen.variance.dataSync()).toEqual(variance.dataSync());
  });

  it('repeat a still image over the steps, and add up the gradients of the steps', () => {
    const x = tf.tensor4d([1, 2, 3, 4], [2, 1, 1, 2]);
    const y = operations.repeat(x, 3);
    expect(y.shape).toEqual([6, 1, 1, 2]);
    expect([...y.dataSync()]).toEqual([1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4]);
    const dy = tf.tensor4d([1, 2, 3, 4, 10, 20, 30, 40, 100, 200, 300, 400], [6, 1, 1, 2]);
    expect([
      ...tf
        .grad((x: tf.Tensor) => operations.repeat(x, 3))(x, dy)
        .dataSync(),
    ]).toEqual([111, 222, 333, 444]);
  });

  /** Central differences for smooth functions; the spike's surrogate is checked against PyTorch instead. */
  it.each<[string, (inputs: tf.Tensor[]) => tf.Tensor, () => tf.Tensor[]]>([
    [
      'convolution',
      ([x, w]) => operations.convolve(x as tf.Tensor4D, w as tf.Tensor4D, 1),
      () => [uniform(1, 3, 4, 2), uniform(3, 2, 3, 3)],
    ],
    [
      'linear',
      ([x, w]) => operations.linear(x as tf.Tensor2D, w as tf.Tensor2D),
      () => [uniform(2, 3), uniform(4, 3)],
    ],
    [
      'average pooling',
      ([x]) => operations.pool(x as tf.Tensor4D, 'average', 2),
      () => [uniform(1, 5, 4, 2)],
    ],
    ['max pooling', ([x]) => operations.pool(x as tf.Tensor4D, 'max', 2), () => [distinct(1, 5, 4, 2)]],
    ['flattening', ([x]) => operations.flatten(x as tf.Tensor4D), () => [uniform(2, 2, 3, 2)]],
    [
      'batch norm',
      ([x, weight, bias]) =>
        operations.normalise(x!, 2, {
          weight: weight as tf.Tensor1D,
          bias: bias as tf.Tensor1D,
          epsilon: 1e-5,
        }).values,
      () => [uniform(2 * 2, 3, 2, 2), tf.add(1.5, uniform(2)), uniform(2)],
    ],
    ['repeating', ([x]) => operations.repeat(x!, 3), () => [uniform(2, 3, 2, 2)]],
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
