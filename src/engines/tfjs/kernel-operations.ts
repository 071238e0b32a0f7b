import type { Scalar, Tensor, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import { restingPotential } from '../../snn/neurons.ts';
import { kernels } from './cpu-kernels.ts';
import type { NeuronAttributes } from './fire-kernels.ts';
import type { LayerOperations, NeuronInput } from './operations/layer-operations.ts';

/** The layers as typed-array kernels of the plain CPU backend; sums are in double precision and always in the same order. */
export const kernelOperations: LayerOperations = {
  convolve: (x, weight, padding) => {
    const [batch, height, width, inChannels] = sizes(x);
    const [outChannels, , kernel] = sizes(weight);
    const geometry = { batch, height, width, inChannels, outChannels, kernel, padding };
    return kernels.convolve.run({ x, weight }, geometry)[0] as Tensor4D;
  },
  linear: (x, weight) => {
    const [rows, inFeatures] = sizes(x);
    const [outFeatures] = sizes(weight);
    return kernels.linear.run({ x, weight }, { rows, inFeatures, outFeatures })[0] as Tensor2D;
  },
  fire: (input) => {
    const [spikes, rate] = kernels.fire.run(neuronTensors(input), neuronAttributes(input));
    return { spikes: spikes as Tensor, rate: rate as Scalar };
  },
  potentials: (input) => kernels.potentials.run(neuronTensors(input), neuronAttributes(input))[0] as Tensor,
  normalise: (x, steps, { weight, bias, epsilon }) => {
    const [values, mean, variance] = kernels.normalise.run({ x, weight, bias }, { steps, epsilon });
    return { values: values as Tensor, mean: mean as Tensor2D, variance: variance as Tensor2D };
  },
  normaliseAndFire: (input, { weight, bias, epsilon }) => {
    const [spikes, rate, mean, variance] = kernels.normaliseAndFire.run(
      { ...neuronTensors(input), weight, bias },
      { ...neuronAttributes(input), epsilon },
    );
    return {
      spikes: spikes as Tensor,
      rate: rate as Scalar,
      mean: mean as Tensor2D,
      variance: variance as Tensor2D,
    };
  },
  scaleAndFire: (input, scale, shift) => {
    const [spikes, rate] = kernels.scaleAndFire.run(
      { ...neuronTensors(input), scale, shift },
      neuronAttributes(input),
    );
    return { spikes: spikes as Tensor, rate: rate as Scalar };
  },
  pool: (x, mode, size) => {
    const [batch, height, width, channels] = sizes(x);
    const kernel = mode === 'max' ? kernels.maxPool : kernels.averagePool;
    return kernel.run({ x }, { batch, height, width, channels, size })[0] as Tensor4D;
  },
  flatten: (x) => {
    const [batch, height, width, channels] = sizes(x);
    return kernels.flatten.run({ x }, { batch, height, width, channels })[0] as Tensor2D;
  },
  repeat: (x, steps) => kernels.repeat.run({ x }, { steps })[0] as Tensor,
  mask: (x, mask) => kernels.maskOverSteps.run({ x, mask }, {})[0] as Tensor2D,
  adam: (parameter, gradient, first, second, step) =>
    kernels.adam.run({ parameter, gradient, first, second }, { ...step }),
};

/**
 * A tensor's sizes as small integers. JavaScript may store an integer as a float (for example after a division), and then also the loop
 * indices computed from it, which makes loops half as fast.
 */
function sizes<Shape extends number[]>({ shape }: { shape: Shape }): Shape {
  return shape.map((size) => size | 0) as Shape;
}

function neuronTensors({ current, leak, alpha }: NeuronInput): Record<string, Tensor> {
  return { current, leak, alpha };
}

function neuronAttributes({ neuron, steps }: NeuronInput): NeuronAttributes {
  const { reset, threshold, surrogate } = neuron;
  return {
    steps,
    threshold,
    hardReset: reset.kind === 'hard',
    rest: restingPotential(neuron),
    detachReset: reset.detach,
    surrogate: surrogate.kind,
  };
}
