import type { Scalar, Tensor, Tensor1D, Tensor3D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { differentiable } from './differentiable.ts';
import type { LayerOperations, NeuronInput, Normalised, NormInput } from './layer-operations.ts';
import {
  averagePool,
  convolve,
  flatten,
  linear,
  maskOverSteps,
  maxPoolFirst,
  repeatOverSteps,
} from './reference-layers.ts';
import { integrateAndFire, runSteps } from './reference-neuron.ts';

/**
 * The layers composed of tfjs' own operations, each with its gradient, for any backend.
 * They define what `kernelOperations` must compute.
 */
export const referenceOperations: LayerOperations = {
  convolve,
  linear,
  fire: (input) => fired(input, input.current),
  potentials: ({ current, steps, leak, neuron }) => {
    const byStep = runSteps(splitSteps(current, steps), channelsLast(leak), neuron);
    return tf.reshape(tf.stack(byStep.map(({ potential }) => potential)), current.shape);
  },
  normalise,
  normaliseAndFire: (input, norm) => {
    const { values, ...statistics } = normalise(input.current, input.steps, norm);
    return { ...fired(input, values), ...statistics };
  },
  scaleAndFire: (input, scale, shift) => fired(input, tf.add(tf.mul(input.current, scale), shift)),
  pool: (x, mode, size) => (mode === 'max' ? maxPoolFirst(x, size) : averagePool(x, size)),
  flatten,
  repeat: repeatOverSteps,
  mask: maskOverSteps,
  adam: (parameter, gradient, first, second, { learningRate, beta1, beta2, epsilon, step }) => {
    const m = tf.add(tf.mul(first, beta1), tf.mul(gradient, 1 - beta1));
    const v = tf.add(tf.mul(second, beta2), tf.mul(tf.square(gradient), 1 - beta2));
    const root = tf.add(tf.div(tf.sqrt(v), Math.sqrt(1 - beta2 ** step)), epsilon);
    return [tf.sub(parameter, tf.mul(tf.div(m, root), learningRate / (1 - beta1 ** step))), m, v];
  },
};

function normalise(x: Tensor, steps: number, { weight, bias, epsilon }: NormInput): Normalised {
  const [channels] = weight.shape;
  const shape: [number, number, number] = [steps, x.size / (steps * channels), channels];
  const { mean, variance } = tf.moments(tf.reshape(x, shape), 1);
  const byStep = normaliseBySteps(reshape<tf.Tensor3D>(x, shape), weight, bias, epsilon);
  return {
    values: reshape(byStep, x.shape),
    mean: mean as tf.Tensor2D,
    variance: variance as tf.Tensor2D,
  };
}

/** @param normalised the current, after batch norm if there is one; channels-last */
function fired({ steps, current, leak, alpha, neuron }: NeuronInput, normalised: Tensor) {
  const byStep = splitSteps(normalised, steps);
  const spikes = reshape(integrateAndFire(byStep, channelsLast(leak), alpha, neuron), current.shape);
  return { spikes, rate: tf.mean<Scalar>(spikes) };
}

/** [T·N, ...neurons] to [T, N, ...neurons]. */
function splitSteps(x: Tensor, steps: number): Tensor {
  const [rows = 0, ...positions] = x.shape;
  return reshape(x, [steps, rows / steps, ...positions]);
}

/** A leak [1, C, H, W] to [1, H, W, C]; others are unchanged. */
function channelsLast(leak: Tensor): Tensor {
  if (leak.rank !== 4) return leak;
  return differentiable([leak], () => ({
    value: tf.transpose(leak, [0, 2, 3, 1]),
    keep: [],
    backward: (dy) => [tf.transpose(dy, [0, 3, 1, 2])],
  }));
}

function reshape<Result extends Tensor = Tensor>(x: Tensor, shape: readonly number[]): Result {
  const from = x.shape;
  return differentiable([x], () => ({
    value: tf.reshape(x, [...shape]),
    keep: [],
    backward: (dy) => [tf.reshape(dy, from)],
  }));
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
