import type { Scalar, Tensor, Tensor1D, Tensor2D, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { ShapeError } from '../../snn/shape-error.ts';
import type { Layer, LayerOf, NetworkSpec } from '../../snn/spec.ts';
import type { LayerOperations, NeuronInput, NormStatistics } from './layer-operations.ts';
import { leakOf } from './leak.ts';
import { classRates } from './loss.ts';

export interface NetworkInput {
  /** Frames, [T·N, H, W, P], time outermost; still images are of one step, [N, H, W, C]. */
  readonly frames: Tensor4D;
  /** T of the frames. */
  readonly steps: number;
  /** A parameter or buffer by its PyTorch name. */
  readonly tensor: (name: string) => Tensor;
  /** Dropout masks [N, features] in training; undefined in evaluation, which takes batch norm's running statistics instead. */
  readonly dropoutMasks: readonly Tensor2D[] | undefined;
}

/** What a batch norm saw in one forward pass, in each of its T time steps over `rows` = N · H · W values a channel. */
export interface NormObservation extends NormStatistics {
  readonly layer: LayerOf<'batch-norm'>;
  readonly rows: number;
}

export interface NetworkOutput {
  /** Firing rates of the classes, [N, classes]. */
  readonly rates: Tensor2D;
  /** Share of neurons that spike a step, one for each spiking layer. */
  readonly spikeRates: readonly Scalar[];
  readonly observations: readonly NormObservation[];
}

/**
 * Runs a network over all T steps, layer by layer: no layer feeds an earlier one, so each can take all its time steps at once, and only
 * neurons look across them. Where a still image is repeated, the layers before that have one step.
 *
 * @throws {ShapeError} if more than one step is to be repeated, a vote is not the end, or a dropout mask missing
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

  for (let i = 0; i < spec.layers.length; i++) {
    const layer = spec.layers[i] as Layer;
    switch (layer.kind) {
      case 'conv':
        x = operations.convolve(x as Tensor4D, tensor(`${layer.name}.weight`) as Tensor4D, layer.padding);
        break;
      case 'batch-norm': {
        // With neurons behind it, batch norm is one operation with them: what lies between is never stored.
        const next = spec.layers[i + 1];
        const neurons = next?.kind === 'neuron' ? neuronInput(next, x, steps, tensor) : undefined;
        if (neurons !== undefined) i++;
        const normed =
          dropoutMasks === undefined
            ? normaliseByRunning(operations, layer, x, neurons, tensor)
            : normaliseByBatch(operations, layer, x, steps, neurons, tensor);
        x = normed.values;
        if (normed.rate !== undefined) spikeRates.push(normed.rate);
        if (normed.observation !== undefined) observations.push(normed.observation);
        break;
      }
      case 'repeat':
        if (steps !== 1) {
          throw new ShapeError(`repeat: only a still image, of 1 step, is repeated; got ${steps} steps`);
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
  return { rates: classRates(x as Tensor2D, steps, group), spikeRates, observations };
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

/** What batch norm gives, or the neurons behind it. */
interface NormOutput {
  readonly values: Tensor;
  /** Where there are neurons: the share that spikes a step. */
  readonly rate?: Scalar;
  readonly observation?: NormObservation;
}

/** Batch norm in training: by the statistics of each time step. */
function normaliseByBatch(
  operations: LayerOperations,
  layer: LayerOf<'batch-norm'>,
  x: Tensor,
  steps: number,
  neurons: NeuronInput | undefined,
  tensor: (name: string) => Tensor,
): NormOutput {
  const rows = x.size / (steps * layer.channels);
  if (rows < 2) {
    throw new ShapeError(`${layer.name}: batch norm needs 2 values a channel to train, got ${rows}`);
  }
  const norm = {
    weight: tensor(`${layer.name}.weight`) as Tensor1D,
    bias: tensor(`${layer.name}.bias`) as Tensor1D,
    epsilon: layer.epsilon,
  };
  if (neurons === undefined) {
    const { values, ...seen } = operations.normalise(x, steps, norm);
    return { values, observation: { layer, rows, ...seen } };
  }
  const { spikes, rate, ...seen } = operations.normaliseAndFire(neurons, norm);
  return { values: spikes, rate, observation: { layer, rows, ...seen } };
}

/** Batch norm in evaluation: by the running statistics, the same at every step. */
function normaliseByRunning(
  operations: LayerOperations,
  layer: LayerOf<'batch-norm'>,
  x: Tensor,
  neurons: NeuronInput | undefined,
  tensor: (name: string) => Tensor,
): NormOutput {
  const { scale, shift } = runningAffine(layer, tensor);
  if (neurons === undefined) return { values: tf.add(tf.mul(x, scale), shift) };
  const { spikes, rate } = operations.scaleAndFire(neurons, scale, shift);
  return { values: spikes, rate };
}

/** The running statistics: `(y − mean) / √(variance + ε) · weight + bias` as one scale and shift a channel. */
function runningAffine(
  layer: LayerOf<'batch-norm'>,
  tensor: (name: string) => Tensor,
): { scale: Tensor1D; shift: Tensor1D } {
  const deviation = tf.sqrt(tf.add(tensor(`${layer.name}.running_var`), layer.epsilon));
  const scale = tf.div<Tensor1D>(tensor(`${layer.name}.weight`), deviation);
  const shift = tf.sub<Tensor1D>(
    tensor(`${layer.name}.bias`),
    tf.mul(tensor(`${layer.name}.running_mean`), scale),
  );
  return { scale, shift };
}
