import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { restingPotential } from '../../neurons.ts';
import type { NeuronSpec, Surrogate } from '../../spec.ts';
import { differentiable, reshape } from './differentiable.ts';

export interface NeuronInput {
  /** The neurons' input current, [T·N, H, W, C] or [T·N, F]. */
  readonly current: Tensor;
  readonly steps: number;
  /** 1/τ: [] per layer, [1, C, 1, 1] or [1, F] per channel, [1, C, H, W] or [1, F] per neuron. */
  readonly leak: Tensor;
  /** Slope of the surrogate. */
  readonly alpha: Scalar;
  readonly neuron: NeuronSpec;
}

/** Neurons over T steps, from rest. @returns spikes, 0 or 1, shaped like `current` */
export function fire({ steps, current, leak, alpha, neuron }: NeuronInput): Tensor {
  const spikes = integrateAndFire(splitSteps(current, steps), channelsLast(leak), alpha, neuron);
  return reshape(spikes, current.shape);
}

/** The membrane potentials after each step of `fire`, shaped like `current`; for inspection, without a gradient. */
export function potentials({ current, steps, leak, neuron }: NeuronInput): Tensor {
  const byStep = runSteps(splitSteps(current, steps), channelsLast(leak), neuron);
  return tf.reshape(tf.stack(byStep.map(({ potential }) => potential)), current.shape);
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

/** The state of a layer's neurons in one time step; each [N, ...neurons]. */
interface NeuronStep {
  /** h: the membrane potential after the input, before a spike. */
  readonly charged: Tensor;
  /** s: 0 or 1. */
  readonly spikes: Tensor;
  /** v: the membrane potential after the reset. */
  readonly potential: Tensor;
}

/** Fires at `h ≥ threshold`, and resets: `v = h · (1 − s) + rest · s` (hard) or `v = h − threshold · s` (soft). */
function fireAndReset(charged: Tensor, { threshold, reset }: NeuronSpec): NeuronStep {
  const spikes = tf.cast(tf.greaterEqual(charged, threshold), 'float32');
  const potential =
    reset.kind === 'hard'
      ? tf.add(tf.mul(charged, tf.sub(1, spikes)), tf.mul(spikes, reset.potential))
      : tf.sub(charged, tf.mul(spikes, threshold));
  return { charged, spikes, potential };
}

/** All steps of neurons that start at rest. @param current x, [T, N, ...neurons]; `leak` 1/τ, [], [1, 1, 1, C] or [1, ...neurons] */
function runSteps(current: Tensor, leak: Tensor, neuron: NeuronSpec): NeuronStep[] {
  const rest = restingPotential(neuron);
  let potential = tf.fill(current.shape.slice(1), rest);
  return tf.unstack(current).map((input) => {
    const drive = tf.sub(input, tf.sub(potential, rest));
    const step = fireAndReset(tf.add(potential, tf.mul(drive, leak)), neuron);
    potential = step.potential;
    return step;
  });
}

/** Spiking neurons over T steps, with their own backward pass: the spike's derivative is the surrogate's. @returns spikes, like `current` */
function integrateAndFire(current: Tensor, leak: Tensor, alpha: Scalar, neuron: NeuronSpec): Tensor {
  return differentiable([current, leak, alpha], () => {
    const steps = runSteps(current, leak, neuron);
    return {
      value: tf.stack(steps.map(({ spikes }) => spikes)),
      keep: [current, leak, alpha, tf.stack(steps.map(({ charged }) => charged))],
      backward: (spikeGradients, kept) =>
        backward(spikeGradients, kept as [Tensor, Tensor, Scalar, Tensor], neuron),
    };
  });
}

/** The backward pass in time, from `spikeGradients` = dL/ds of every step (snn/neurons.ts). @returns gradients of current, leak and alpha */
function backward(
  spikeGradients: Tensor,
  [current, leak, alpha, charged]: [Tensor, Tensor, Scalar, Tensor],
  neuron: NeuronSpec,
): Tensor[] {
  const { threshold, reset, surrogate } = neuron;
  const rest = restingPotential(neuron);
  const inputs = tf.unstack(current);
  const steps = tf.unstack(charged).map((potential) => fireAndReset(potential, neuron));
  const start = tf.fill(current.shape.slice(1), rest);
  const inputGradients: Tensor[] = [];
  let leakGradient: Tensor = tf.zerosLike(leak);
  let alphaGradient: Tensor = tf.zerosLike(alpha);
  let potentialGradient: Tensor = tf.zerosLike(start);
  for (const [t, spikeGradient] of [...tf.unstack(spikeGradients).entries()].reverse()) {
    const { charged, spikes } = steps[t] as NeuronStep;
    const before = steps[t - 1]?.potential ?? start;

    const byReset = reset.kind === 'hard' ? tf.sub(rest, charged) : tf.fill(charged.shape, -threshold);
    const gradient = reset.detach ? spikeGradient : tf.add(spikeGradient, tf.mul(potentialGradient, byReset));

    const excess = tf.sub(charged, threshold);
    const stepGradient = tf.mul(gradient, surrogateDerivative(surrogate.kind, tf.mul(excess, alpha)));
    const unspiked = reset.kind === 'hard' ? tf.sub(1, spikes) : tf.onesLike(charged);
    const chargedGradient = tf.add(tf.mul(stepGradient, alpha), tf.mul(potentialGradient, unspiked));

    const drive = tf.sub(inputs[t] as Tensor, tf.sub(before, rest));
    alphaGradient = tf.add(alphaGradient, tf.sum(tf.mul(stepGradient, excess)));
    leakGradient = tf.add(leakGradient, sumLike(tf.mul(chargedGradient, drive), leak));
    inputGradients.unshift(tf.mul(chargedGradient, leak));
    potentialGradient = tf.mul(chargedGradient, tf.sub(1, leak));
  }
  return [tf.stack(inputGradients), leakGradient, alphaGradient];
}

/** Sums a gradient [N, ...neurons] to the shape before broadcasting: [], [1, 1, 1, C] or [1, ...neurons]. */
function sumLike(gradient: Tensor, to: Tensor): Tensor {
  if (to.rank === 0) return tf.sum(gradient);
  const axes = gradient.shape.flatMap((size, axis) =>
    to.shape[axis] === 1 && (size > 1 || axis === 0) ? [axis] : [],
  );
  return tf.sum(gradient, axes, true);
}

/** A surrogate's S'(z) on tensors; see snn/neurons.ts for formulas and sources. @param z α · (h − threshold) */
function surrogateDerivative(kind: Surrogate['kind'], z: Tensor): Tensor {
  switch (kind) {
    case 'atan':
      return tf.div(0.5, tf.add(1, tf.square(tf.mul(z, Math.PI / 2))));
    case 'sigmoid': {
      const value = tf.sigmoid(z);
      return tf.mul(value, tf.sub(1, value));
    }
    case 'triangle':
      return tf.relu(tf.sub(1, tf.abs(z)));
  }
}
