import type { Scalar, Tensor, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import type { NeuronSpec } from '../../snn/spec.ts';
import type { AdamStep } from './kernels/adam.ts';

/*
 * Layout. Activations are channels-last with time folded into the batch, time outermost: [T·N, H, W, C] or [T·N, F], so that one time
 * step is one contiguous piece. Parameters keep PyTorch's names and layouts everywhere (conv weight [out, in, kh, kw], linear weight
 * [out, in], w [1, C, H, W]); each operation rearranges what it needs. `flatten` goes back to PyTorch's order of features.
 */

export interface NeuronInput {
  /** What flows into the neurons, [T·N, H, W, C] or [T·N, F]. */
  readonly current: Tensor;
  readonly steps: number;
  /** 1/τ: [] for the whole layer, [1, C, H, W] or [1, F] for each neuron. */
  readonly leak: Tensor;
  /** Slope of the surrogate. */
  readonly alpha: Scalar;
  readonly neuron: NeuronSpec;
}

export interface NormInput {
  readonly weight: Tensor1D;
  readonly bias: Tensor1D;
  readonly epsilon: number;
}

export interface Fired {
  /** 0 or 1, as `current`. */
  readonly spikes: Tensor;
  /** Share of neurons that spike a step. */
  readonly rate: Scalar;
}

/** What batch norm saw: mean and biased variance of each time step and channel, [T, C]. */
export interface NormStatistics {
  readonly mean: Tensor2D;
  readonly variance: Tensor2D;
}

export interface Normalised extends NormStatistics {
  /** As the input of batch norm. */
  readonly values: Tensor;
}

export interface NormalisedFired extends Fired, NormStatistics {}

/**
 * What a network is made of, on tensors and differentiable. Two implementations have the same meaning: `referenceOperations`, composed
 * of tfjs' own operations (any backend, CUDA among them), and `kernelOperations`, typed-array loops for the plain CPU backend.
 */
export interface LayerOperations {
  /** Convolution of stride 1 without bias. x [B, H, W, in], weight [out, in, k, k]. */
  convolve(x: Tensor4D, weight: Tensor4D, padding: number): Tensor4D;
  /** x [B, in], weight [out, in]. */
  linear(x: Tensor2D, weight: Tensor2D): Tensor2D;
  /** Neurons over T steps, from rest. */
  fire(input: NeuronInput): Fired;
  /** Membrane potentials that each step of `fire` leaves, as `current`; to look at, without a gradient. */
  potentials(input: NeuronInput): Tensor;
  /** Batch norm with the statistics of each of `steps` time steps. x [T·N, H, W, C]. */
  normalise(x: Tensor, steps: number, norm: NormInput): Normalised;
  /** `normalise`, then neurons. */
  normaliseAndFire(input: NeuronInput, norm: NormInput): NormalisedFired;
  /** `current · scale + shift` (each [C]), then neurons; for evaluation, without a gradient. */
  scaleAndFire(input: NeuronInput, scale: Tensor1D, shift: Tensor1D): Fired;
  /** x [N, H, W, C] at each of T steps: [T·N, H, W, C]. */
  repeat(x: Tensor, steps: number): Tensor;
  /** Windows of size x size; rows and columns that fill no window are dropped. The first maximum takes the gradient. */
  pool(x: Tensor4D, mode: 'max' | 'average', size: number): Tensor4D;
  /** [B, H, W, C] to [B, C·H·W]. */
  flatten(x: Tensor4D): Tensor2D;
  /** x [T·N, F] times mask [N, F] at every step. */
  mask(x: Tensor2D, mask: Tensor2D): Tensor2D;
  /** New parameter, first and second moment. */
  adam(parameter: Tensor, gradient: Tensor, first: Tensor, second: Tensor, step: AdamStep): Tensor[];
}
