import '@tensorflow/tfjs-backend-cpu';
import type { Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { restingPotential } from '../../snn/neurons.ts';
import { adamStep } from './kernels/adam.ts';
import { applyAffine, gradientSums, normAffine, normBackward, stepStatistics } from './kernels/batch-norm.ts';
import { type ConvolutionGeometry, convolve, inputGradient, outputSize } from './kernels/convolution.ts';
import { maxPool, maxPoolGradient } from './kernels/max-pool.ts';
import { fire, fireBackward, identityAffine, type NeuronRun, type StepAffine } from './kernels/neuron.ts';
import { weightGradient } from './kernels/weight-gradient.ts';
import { differentiable } from './operations/differentiable.ts';
import type { LayerOperations, NeuronInput, NormInput } from './operations/layer-operations.ts';
import { referenceOperations } from './operations/reference-operations.ts';

/**
 * The costly layers as typed-array kernels of the plain CPU backend, with sums in double precision and always in the same order. The other
 * layers only move, multiply or average values: tfjs' own operations do that.
 */
export const kernelOperations: LayerOperations = {
  ...referenceOperations,
  convolve: (x, weight, padding, isInput = false) => {
    const [batch, height, width, inChannels] = sizes(x);
    const [outChannels, , kernel] = sizes(weight);
    const geometry = { batch, height, width, inChannels, outChannels, kernel, padding };
    const out = outputSize(geometry);
    const shape = [batch, out.height, out.width, outChannels];
    return correlate<Tensor4D>(x, weight, geometry, shape, isInput);
  },
  linear: (x, weight) => {
    const [rows, inChannels] = sizes(x);
    const [outChannels] = sizes(weight);
    // A 1 x 1 convolution of one image with one column per row of the batch.
    const geometry = { batch: 1, height: 1, width: rows, inChannels, outChannels, kernel: 1, padding: 0 };
    return correlate<Tensor2D>(x, weight, geometry, [rows, outChannels]);
  },
  fire: (input) => {
    const run = neuronRun(input, 1);
    return fireNeurons(input, run, identityAffine(run.steps));
  },
  potentials: (input) => {
    const run = neuronRun(input, 1);
    const potentials = new Float32Array(input.current.size);
    fire(valuesOf(input.current), identityAffine(run.steps), leakByPosition(input), run, potentials);
    return tf.tensor(potentials, input.current.shape);
  },
  normalise: (x, steps, norm) => {
    const { shape, affine, statistics, backward } = batchNorm(x, steps, norm);
    const input = valuesOf(x);
    const values = compute([x, norm.weight, norm.bias], x.shape, {
      value: applyAffine(input, affine, shape),
      backward: (dy) => {
        const dx = dy.slice();
        return [dx, ...backward(dx, gradientSums(dx, input, shape))];
      },
    });
    return { values, ...statistics };
  },
  normaliseAndFire: (input, norm) => {
    const { shape, affine, statistics, backward } = batchNorm(input.current, input.steps, norm);
    const run = neuronRun(input, shape.channels);
    return {
      ...fireNeurons(input, run, affine, { inputs: [norm.weight, norm.bias], backward }),
      ...statistics,
    };
  },
  scaleAndFire: (input, scale, shift) => {
    const run = neuronRun(input, scale.size);
    const affine = { scale: repeat(valuesOf(scale), run.steps), shift: repeat(valuesOf(shift), run.steps) };
    return fireNeurons(input, run, affine);
  },
  pool: (x, mode, size) => {
    if (mode === 'average') return referenceOperations.pool(x, mode, size);
    const [batch, height, width, channels] = sizes(x);
    const geometry = { batch, height, width, channels, size };
    const values = valuesOf(x);
    return compute([x], [batch, Math.floor(height / size), Math.floor(width / size), channels], {
      value: maxPool(values, geometry),
      backward: (dy) => [maxPoolGradient(dy, values, geometry)],
    });
  },
  adam: (parameter, gradient, first, second, step) =>
    adamStep(valuesOf(parameter), valuesOf(gradient), valuesOf(first), valuesOf(second), step).map((values) =>
      tf.tensor(values, parameter.shape),
    ),
};

/** A tensor's own memory, which must not be written to. It outlives the tensor. */
function valuesOf(tensor: Tensor): Float32Array {
  return tensor.dataSync<'float32'>();
}

/** An operation on values: what it computed, and how the gradient of that gives one of each input. */
function compute<Result extends Tensor>(
  inputs: readonly Tensor[],
  shape: readonly number[],
  { value, backward }: { value: Float32Array; backward: (dy: Float32Array) => readonly Float32Array[] },
): Result {
  return differentiable(inputs, () => ({
    value: tf.tensor(value, [...shape]),
    keep: [],
    backward: (dy) => backward(valuesOf(dy)).map((gradient, i) => tf.tensor(gradient, inputs[i]!.shape)),
  }));
}

function correlate<Result extends Tensor>(
  x: Tensor,
  weight: Tensor,
  geometry: ConvolutionGeometry,
  shape: readonly number[],
  isInput = false,
): Result {
  const [input, filter] = [valuesOf(x), valuesOf(weight)];
  return compute(isInput ? [weight] : [weight, x], shape, {
    value: convolve(input, filter, geometry),
    backward: (dy) => [
      weightGradient(input, dy, geometry),
      ...(isInput ? [] : [inputGradient(dy, filter, geometry)]),
    ],
  });
}

/** Batch norm per time step: its affine and statistics, and its backward pass, which overwrites dy with dL/dx. */
function batchNorm(x: Tensor, steps: number, { weight, bias, epsilon }: NormInput) {
  const shape = { steps: steps | 0, channels: weight.size | 0, epsilon };
  const [input, weights] = [valuesOf(x), valuesOf(weight)];
  const statistics = stepStatistics(input, shape);
  const tensorOf = (values: Float64Array) => tf.tensor2d(Float32Array.from(values), [steps, weight.size]);
  return {
    shape,
    affine: normAffine(statistics, weights, valuesOf(bias), shape),
    statistics: { mean: tensorOf(statistics.mean), variance: tensorOf(statistics.variance) },
    backward: (dy: Float32Array, sums: ReturnType<typeof gradientSums>) =>
      normBackward(dy, input, sums, statistics, weights, shape),
  };
}

/** Neurons after an affine of their current: `norm` is the batch norm that it comes from, if that is differentiated, too. */
function fireNeurons(
  input: NeuronInput,
  run: NeuronRun,
  affine: StepAffine,
  norm?: { inputs: readonly Tensor[]; backward: ReturnType<typeof batchNorm>['backward'] },
): ReturnType<LayerOperations['fire']> {
  const { current, leak, alpha } = input;
  const [x, leaks, slope] = [valuesOf(current), leakByPosition(input), valuesOf(alpha)[0]!];
  const { spikes, count } = fire(x, affine, leaks, run);
  return {
    spikes: compute([current, leak, alpha, ...(norm?.inputs ?? [])], current.shape, {
      value: spikes,
      backward: (dy) => {
        const gradients = fireBackward(x, affine, leaks, slope, dy, run);
        const ofNorm = norm?.backward(gradients.current, gradients) ?? [];
        const ofLeak = leakGradient(leak, gradients.leak);
        return [gradients.current, ofLeak, Float32Array.of(gradients.alpha), ...ofNorm];
      },
    }),
    rate: tf.scalar(count / spikes.length),
  };
}

function neuronRun({ current, steps, neuron }: NeuronInput, channels: number): NeuronRun {
  const [rows = 0, ...positions] = sizes(current);
  return {
    steps: steps | 0,
    samples: (rows / steps) | 0,
    positions: multiply(positions) | 0,
    channels: channels | 0,
    threshold: neuron.threshold,
    hardReset: neuron.reset.kind === 'hard',
    rest: restingPotential(neuron),
    detachReset: neuron.reset.detach,
    surrogate: neuron.surrogate.kind,
  };
}

/**
 * A tensor's sizes as small integers. JavaScript may store an integer as a float (for example after a division), and then also the loop
 * indices computed from it, which makes loops half as fast.
 */
function sizes<Shape extends number[]>({ shape }: { shape: Shape }): Shape {
  return shape.map((size) => size | 0) as Shape;
}

function multiply(sizes: readonly number[]): number {
  return sizes.reduce((product, size) => product * size, 1);
}

/** 1/τ of each position in channels-last order, from [] or PyTorch's [1, C, H, W] or [1, F]. */
function leakByPosition({ current, leak }: NeuronInput): Float64Array {
  const values = valuesOf(leak);
  if (values.length === 1) return new Float64Array(multiply(current.shape.slice(1))).fill(values[0]!);
  const [, channels = 1, ...image] = leak.shape;
  return Float64Array.from(swapAxes(values, channels, multiply(image)));
}

/** dL/dleak in PyTorch's layout, from one value per position in channels-last order. */
function leakGradient(leak: Tensor, gradient: Float64Array): Float32Array {
  if (leak.size === 1) return Float32Array.of(gradient.reduce((sum, value) => sum + value, 0));
  const [, channels = 1, ...image] = leak.shape;
  return swapAxes(Float32Array.from(gradient), multiply(image), channels);
}

/** [rows, columns] to [columns, rows]. */
function swapAxes(x: Float32Array, rows: number, columns: number): Float32Array {
  return x.map((_, i) => x[(i % rows) * columns + Math.floor(i / rows)]!);
}

function repeat(values: Float32Array, times: number): Float64Array {
  return Float64Array.from({ length: values.length * times }, (_, i) => values[i % values.length]!);
}
