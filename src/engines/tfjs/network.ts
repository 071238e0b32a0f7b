import type { Scalar, Tensor, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { LayerOf, NetworkSpec, NeuronSpec } from '../../snn/spec.ts';
import { ShapeError } from '../../snn/tensor.ts';
import { classRates } from './loss.ts';
import { sigmoid } from './operations/differentiable.ts';
import type { LayerOperations, NeuronInput, NormStatistics } from './operations/layer-operations.ts';

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
  readonly observations: readonly NormObservation[];
}

/**
 * Runs a network over all T steps, layer by layer: no layer feeds an earlier one, so each can process all its time steps at once, and only
 * neurons connect them. If a still image is repeated, the layers before that have one step.
 *
 * @throws {ShapeError} if the input of `repeat` has several steps, a vote is not the last layer, or a dropout mask is missing
 */
export function runNetwork(
  spec: NetworkSpec,
  operations: LayerOperations,
  input: NetworkInput,
): NetworkOutput {
  const { tensor, dropoutMasks } = input;
  let { steps } = input;
  const spikeRates: Scalar[] = [];
  const observations: NormObservation[] = [];
  let masked = 0;
  let group = 1;
  let x: Tensor = input.frames;

  let fused = false; // with the layer before
  for (const [i, layer] of spec.layers.entries()) {
    if (fused) {
      fused = false;
      continue;
    }
    switch (layer.kind) {
      case 'conv':
        x = operations.convolve(
          x as Tensor4D,
          tensor(`${layer.name}.weight`) as Tensor4D,
          layer.padding,
          x === input.frames,
        );
        break;
      case 'batch-norm': {
        // Batch norm and the neurons after it are one operation: the values between them are never stored.
        const next = spec.layers[i + 1];
        const neurons = next?.kind === 'neuron' ? neuronInput(next, x, steps, tensor) : undefined;
        fused = neurons !== undefined;
        const normed = normalise(operations, layer, x, neurons, input, steps);
        x = normed.values;
        if (normed.rate !== undefined) spikeRates.push(normed.rate);
        if (normed.observation !== undefined) observations.push(normed.observation);
        break;
      }
      case 'repeat':
        if (steps !== 1) {
          throw new ShapeError(`repeat: expected a still image with 1 step, got ${steps} steps`);
        }
        steps = layer.steps;
        x = operations.repeat(x, steps);
        break;
      case 'neuron': {
        const fired = operations.fire(neuronInput(layer, x, steps, tensor));
        x = fired.spikes;
        spikeRates.push(fired.rate);
        break;
      }
      case 'pool':
        x = operations.pool(x as Tensor4D, layer.mode, layer.size);
        break;
      case 'flatten':
        x = operations.flatten(x as Tensor4D);
        break;
      case 'dropout': {
        if (dropoutMasks === undefined) break;
        const mask = dropoutMasks[masked++];
        if (mask === undefined) throw new ShapeError(`dropout ${masked}: expected a mask, got none`);
        x = operations.mask(x as Tensor2D, mask);
        break;
      }
      case 'linear':
        x = operations.linear(x as Tensor2D, tensor(`${layer.name}.weight`) as Tensor2D);
        break;
      case 'vote':
        if (i !== spec.layers.length - 1) throw new ShapeError('vote: must be the last layer');
        group = layer.group;
        break;
    }
  }
  const votes = x as Tensor2D;
  return {
    rates: classRates(votes, steps, group),
    outputs: classRates(votes, 1, group),
    spikeRates,
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
  };
}

/** The output of batch norm, or of the neurons after it. */
interface NormOutput {
  readonly values: Tensor;
  /** The share of neurons that spike per step, if there are any. */
  readonly rate?: Scalar;
  readonly observation?: NormObservation;
}

/** Batch norm, and the neurons after it if there are any: with the statistics of each time step in training, else the running ones. */
function normalise(
  operations: LayerOperations,
  layer: LayerOf<'batch-norm'>,
  x: Tensor,
  neurons: NeuronInput | undefined,
  { tensor, dropoutMasks }: NetworkInput,
  steps: number,
): NormOutput {
  const { name, channels, epsilon } = layer;
  const [weight, bias] = [tensor(`${name}.weight`) as Tensor1D, tensor(`${name}.bias`) as Tensor1D];
  if (dropoutMasks === undefined) {
    // `(y − mean) / √(variance + ε) · weight + bias` as one scale and shift per channel.
    const scale = tf.div<Tensor1D>(weight, tf.sqrt(tf.add(tensor(`${name}.running_var`), epsilon)));
    const shift = tf.sub<Tensor1D>(bias, tf.mul(tensor(`${name}.running_mean`), scale));
    if (neurons === undefined) return { values: tf.add(tf.mul(x, scale), shift) };
    const { spikes, rate } = operations.scaleAndFire(neurons, scale, shift);
    return { values: spikes, rate };
  }
  const rows = x.size / (steps * channels);
  if (rows < 2) throw new ShapeError(`${name}: batch norm needs 2 values per channel to train, got ${rows}`);
  if (neurons === undefined) {
    const { values, ...seen } = operations.normalise(x, steps, { weight, bias, epsilon });
    return { values, observation: { layer, rows, ...seen } };
  }
  const { spikes, rate, ...seen } = operations.normaliseAndFire(neurons, { weight, bias, epsilon });
  return { values: spikes, rate, observation: { layer, rows, ...seen } };
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
