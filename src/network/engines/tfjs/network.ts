import type { Scalar, Tensor, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { unreachable } from '../../../base/errors.ts';
import { ShapeError } from '../../../formats/tensor.ts';
import type { LayerOf, NetworkSpec, NeuronSpec } from '../../spec.ts';
import { sigmoid } from './differentiable.ts';
import {
  averagePool,
  convolve,
  flatten,
  linear,
  maskOverSteps,
  maxPoolFirst,
  type NormStatistics,
  normalise,
  repeatOverSteps,
} from './layers.ts';
import { classRates } from './loss.ts';
import { fire, type NeuronInput } from './neuron.ts';

interface NetworkInput {
  /** Frames, [T·N, H, W, P], time outermost; still images have one step, [N, H, W, C]. */
  readonly frames: Tensor4D;
  /** The frames' T. */
  readonly steps: number;
  /** A parameter or buffer by its PyTorch name. */
  readonly tensor: (name: string) => Tensor;
  /** Dropout masks [N, features] in training; undefined in evaluation, which uses batch norm's running statistics. */
  readonly dropoutMasks: readonly Tensor2D[] | undefined;
}

/** A batch norm's statistics in one forward pass, for each of its T time steps over `rows` = N · H · W values per channel. */
export interface NormObservation extends NormStatistics {
  readonly layer: LayerOf<'batch-norm'>;
  readonly rows: number;
}

export interface NetworkOutput {
  /** Firing rates of the classes, [N, classes]. */
  readonly rates: Tensor2D;
  /** The same at each step, [T·N, classes], time outermost. */
  readonly outputs: Tensor2D;
  /** The share of neurons that spike per step, one per spiking layer. */
  readonly spikeRates: readonly Scalar[];
  /** In evaluation, the values other than 0 in the input of each convolution, [H, W], linear layer and recurrence, []: over samples, steps and channels. */
  readonly inputCounts: readonly Tensor[];
  readonly observations: readonly NormObservation[];
}

/**
 * Runs a network over all T steps, layer by layer: no layer feeds an earlier one, so each can process all its time steps at once, and only
 * neurons connect them. If a still image is repeated, the layers before that have one step.
 */
export function runNetwork(spec: NetworkSpec, input: NetworkInput): NetworkOutput {
  const { tensor, dropoutMasks } = input;
  let { steps } = input;
  const spikeRates: Scalar[] = [];
  const inputCounts: Tensor[] = [];
  const observations: NormObservation[] = [];
  let masked = 0;
  let group = 1;
  let x: Tensor = input.frames;

  for (const layer of spec.layers) {
    if (dropoutMasks === undefined && (layer.kind === 'conv' || layer.kind === 'linear'))
      inputCounts.push(tf.sum(tf.notEqual(x, 0), layer.kind === 'conv' ? [0, 3] : undefined));
    switch (layer.kind) {
      case 'conv':
        x = convolve(x as Tensor4D, tensor(`${layer.name}.weight`) as Tensor4D, layer.padding);
        break;
      case 'batch-norm':
        if (dropoutMasks === undefined) x = normaliseByRunning(layer, x, tensor);
        else {
          const { values, ...seen } = normaliseInTraining(layer, x, steps, tensor);
          x = values;
          observations.push({ layer, ...seen });
        }
        break;
      case 'repeat':
        steps = layer.steps;
        x = repeatOverSteps(x, steps);
        break;
      case 'neuron':
        x = fire(neuronInput(layer, x, steps, tensor));
        spikeRates.push(tf.mean<Scalar>(x));
        // Those of the last step reach no other.
        if (dropoutMasks === undefined && layer.recurrent === true)
          inputCounts.push(tf.sum(tf.slice(x, 0, (x.shape[0]! / steps) * (steps - 1))));
        break;
      case 'pool':
        x = (layer.mode === 'max' ? maxPoolFirst : averagePool)(x as Tensor4D, layer.size);
        break;
      case 'flatten':
        x = flatten(x as Tensor4D);
        break;
      case 'dropout':
        if (dropoutMasks !== undefined) x = maskOverSteps(x as Tensor2D, dropoutMasks[masked++]!);
        break;
      case 'linear':
        x = linear(x as Tensor2D, tensor(`${layer.name}.weight`) as Tensor2D);
        break;
      case 'vote':
        group = layer.group;
        break;
      default:
        unreachable(layer);
    }
  }
  const votes = x as Tensor2D;
  return {
    rates: classRates(votes, steps, group),
    outputs: classRates(votes, 1, group),
    spikeRates,
    inputCounts,
    observations,
  };
}

function neuronInput(
  layer: LayerOf<'neuron'>,
  current: Tensor,
  steps: number,
  tensor: (name: string) => Tensor,
): NeuronInput {
  const { neuron, name } = layer;
  return {
    current,
    steps,
    neuron,
    leak: leakOf(neuron, neuron.kind === 'plif' ? tensor(`${name}.w`) : undefined),
    alpha: neuron.surrogate.learnable
      ? (tensor(`${name}.surrogate_function.alpha`) as Scalar)
      : tf.scalar(neuron.surrogate.alpha),
    recurrence: layer.recurrent === true ? (tensor(`${name}.recurrent.weight`) as Tensor2D) : undefined,
  };
}

/** Batch norm in evaluation: `(y − mean) / √(variance + ε) · weight + bias` as one scale and shift per channel. */
function normaliseByRunning(
  { name, epsilon }: LayerOf<'batch-norm'>,
  x: Tensor,
  tensor: (name: string) => Tensor,
): Tensor {
  const deviation = tf.sqrt(tf.add(tensor(`${name}.running_var`), epsilon));
  const scale = tf.div(tensor(`${name}.weight`), deviation);
  const shift = tf.sub(tensor(`${name}.bias`), tf.mul(tensor(`${name}.running_mean`), scale));
  return tf.add(tf.mul(x, scale), shift);
}

/** Batch norm with the statistics of each time step. */
function normaliseInTraining(
  { name, channels, epsilon }: LayerOf<'batch-norm'>,
  x: Tensor,
  steps: number,
  tensor: (name: string) => Tensor,
) {
  const rows = x.size / (steps * channels);
  if (rows < 2) throw new ShapeError(`${name}: batch norm needs 2 values per channel to train, got ${rows}`);
  const [weight, bias] = [tensor(`${name}.weight`) as Tensor1D, tensor(`${name}.bias`) as Tensor1D];
  return { rows, ...normalise(x, steps, { weight, bias, epsilon }) };
}

/**
 * A neuron's leak 1/τ: `sigmoid(w)` if τ is learned (PLIF), a constant if it is fixed (LIF).
 *
 * @param logits w, [] or [1, ...neurons]; PLIF only
 * @throws {ShapeError} if a PLIF neuron has no w
 */
export function leakOf({ kind, tau }: NeuronSpec, logits: Tensor | undefined): Tensor {
  if (kind === 'lif') return tf.scalar(1 / tau.mean);
  if (logits === undefined) throw new ShapeError('neuron: a learned τ needs its w, got none');
  return sigmoid(logits);
}
