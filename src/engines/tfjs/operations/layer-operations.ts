import type { Scalar, Tensor, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import type { NeuronSpec } from '../../../snn/spec.ts';
import type { AdamStep } from '../kernels/adam.ts';

/*
 * Layout: activations are channels-last with time folded into the batch, time outermost: [T·N, H, W, C] or [T·N, F], so that a time
 * step is contiguous. Parameters keep PyTorch's names and layouts everywhere (conv weight [out, in, kh, kw], linear weight
 * [out, in], w [1, C, H, W]); each operation rearranges what it needs. `flatten` restores PyTorch's order of features.
 */

export interface NeuronInput {
  /** The neurons' input current, [T·N, H, W, C] or [T·N, F]. */
  readonly current: Tensor;
  readonly steps: number;
  /** 1/τ: [] per layer, [1, C, H, W] or [1, F] per neuron. */
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

interface Fired {
  /** 0 or 1, shaped like `current`. */
  readonly spikes: Tensor;
  /** The share of neurons that spike per step. */
  readonly rate: Scalar;
}

/** Batch norm's statistics: mean and biased variance of each time step and channel, [T, C]. */
export interface NormStatistics {
  readonly mean: Tensor2D;
  readonly variance: Tensor2D;
}

export interface Normalised extends NormStatistics {
  /** Shaped like batch norm's input. */
  readonly values: Tensor;
}

interface NormalisedFired extends Fired, NormStatistics {}

/**
 * The differentiable building blocks of a network. There are two equivalent implementations: `referenceOperations`, composed
 * of tfjs' own operations (any backend, including CUDA), and `kernelOperations`, typed-array loops for the plain CPU backend.
 */
export interface LayerOperations {
  /** Convolution of stride 1 without bias. x [B, H, W, in], weight [out, in, k, k]; x needs no gradient if it is the network's input. */
  convolve(x: Tensor4D, weight: Tensor4D, padding: number, isInput?: boolean): Tensor4D;
  /** x [B, in], weight [out, in]. */
  linear(x: Tensor2D, weight: Tensor2D): Tensor2D;
  /** Neurons over T steps, from rest. */
  fire(input: NeuronInput): Fired;
  /** The membrane potentials after each step of `fire`, shaped like `current`; for inspection, without a gradient. */
  potentials(input: NeuronInput): Tensor;
  /** Batch norm with separate statistics for each of `steps` time steps. x [T·N, H, W, C]. */
  normalise(x: Tensor, steps: number, norm: NormInput): Normalised;
  /** `normalise`, then neurons. */
  normaliseAndFire(input: NeuronInput, norm: NormInput): NormalisedFired;
  /** `current · scale + shift` (each [C]), then neurons; for evaluation, without a gradient. */
  scaleAndFire(input: NeuronInput, scale: Tensor1D, shift: Tensor1D): Fired;
  /** x [N, H, W, C] at each of T steps: [T·N, H, W, C]. */
  repeat(x: Tensor, steps: number): Tensor;
  /** Windows of size x size; incomplete windows are dropped. The gradient goes to the first maximum. */
  pool(x: Tensor4D, mode: 'max' | 'average', size: number): Tensor4D;
  /** [B, H, W, C] to [B, C·H·W]. */
  flatten(x: Tensor4D): Tensor2D;
  /** x [T·N, F] times mask [N, F] at every step. */
  mask(x: Tensor2D, mask: Tensor2D): Tensor2D;
  /** New parameter, first and second moment. */
  adam(parameter: Tensor, gradient: Tensor, first: Tensor, second: Tensor, step: AdamStep): Tensor[];
}
