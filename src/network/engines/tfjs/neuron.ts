import type { Scalar, Tensor, Tensor2D } from '@tensorflow/tfjs-core';
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
  /** Weights [F, F], to and from, through which a step's spikes enter the current of the next. */
  readonly recurrence?: Tensor2D | undefined;
}

/** Neurons over T steps, from rest. @returns spikes, 0 or 1, shaped like `current` */
export function fire({ steps, current, leak, alpha, neuron, recurrence }: NeuronInput): Tensor {
  const spikes = integrateAndFire(splitSteps(current, steps), channelsLast(leak), alpha, neuron, recurrence);
  return reshape(spikes, current.shape);
}

/** The membrane potentials after each step of `fire`, shaped like `current`; for inspection, without a gradient. */
export function potentials({ current, steps, leak, neuron, recurrence }: NeuronInput): Tensor {
  const byStep = runSteps(splitSteps(current, steps), channelsLast(leak), neuron, recurrence);
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
function runSteps(current: Tensor, leak: Tensor, neuron: NeuronSpec, recurrence?: Tensor2D): NeuronStep[] {
  const rest = restingPotential(neuron);
  let potential = tf.fill(current.shape.slice(1), rest);
  let before: NeuronStep | undefined;
  return tf.unstack(current).map((input) => {
    const drive = tf.sub(feedBack(input, before, recurrence), tf.sub(potential, rest));
    before = fireAndReset(tf.add(potential, tf.mul(drive, leak)), neuron);
    potential = before.potential;
    return before;
  });
}

/** What the neurons get in a step, [N, F]: the input, and through the recurrence the spikes of the step before. */
function feedBack(input: Tensor, before: NeuronStep | undefined, recurrence: Tensor2D | undefined): Tensor {
  if (before === undefined || recurrence === undefined) return input;
  return tf.add(input, tf.matMul(before.spikes as Tensor2D, recurrence, false, true));
}

/** Spiking neurons over T steps, with their own backward pass: the spike's derivative is the surrogate's. @returns spikes, like `current` */
function integrateAndFire(
  current: Tensor,
  leak: Tensor,
  alpha: Scalar,
  neuron: NeuronSpec,
  recurrence?: Tensor2D,
): Tensor {
  const inputs = [current, leak, alpha, ...(recurrence === undefined ? [] : [recurrence])];
  return differentiable(inputs, () => {
    const steps = runSteps(current, leak, neuron, recurrence);
    return {
      value: tf.stack(steps.map(({ spikes }) => spikes)),
      keep: [tf.stack(steps.map(({ charged }) => charged)), ...inputs],
      backward: (spikeGradients, kept) =>
        backward(spikeGradients, kept as [Tensor, Tensor, Tensor, Scalar, Tensor2D?], neuron),
    };
  });
}

/**
 * The backward pass in time, from `spikeGradients` = dL/ds of every step (neurons.ts). With a recurrence, a spike also acts on the current
 * of the next step. @returns gradients of current, leak, alpha and recurrence
 */
function backward(
  spikeGradients: Tensor,
  [charged, current, leak, alpha, recurrence]: [Tensor, Tensor, Tensor, Scalar, Tensor2D?],
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
  let recurrenceGradient: Tensor | undefined = recurrence && tf.zerosLike(recurrence);
  for (const [t, ofOutput] of [...tf.unstack(spikeGradients).entries()].reverse()) {
    const { charged, spikes } = steps[t] as NeuronStep;
    const before = steps[t - 1]?.potential ?? start;

    let spikeGradient = ofOutput;
    const [next] = inputGradients;
    if (recurrence !== undefined && recurrenceGradient !== undefined && next !== undefined) {
      spikeGradient = tf.add(ofOutput, tf.matMul(next as Tensor2D, recurrence));
      const pairs = tf.matMul(next as Tensor2D, spikes as Tensor2D, true, false);
      recurrenceGradient = tf.add(recurrenceGradient, pairs);
    }
    const byReset = reset.kind === 'hard' ? tf.sub(rest, charged) : tf.fill(charged.shape, -threshold);
    const gradient = reset.detach ? spikeGradient : tf.add(spikeGradient, tf.mul(potentialGradient, byReset));

    const excess = tf.sub(charged, threshold);
    const stepGradient = tf.mul(gradient, surrogateDerivative(surrogate.kind, tf.mul(excess, alpha)));
    const unspiked = reset.kind === 'hard' ? tf.sub(1, spikes) : tf.onesLike(charged);
    const chargedGradient = tf.add(tf.mul(stepGradient, alpha), tf.mul(potentialGradient, unspiked));

    const drive = tf.sub(feedBack(inputs[t] as Tensor, steps[t - 1], recurrence), tf.sub(before, rest));
    alphaGradient = tf.add(alphaGradient, tf.sum(tf.mul(stepGradient, excess)));
    leakGradient = tf.add(leakGradient, sumLike(tf.mul(chargedGradient, drive), leak));
    inputGradients.unshift(tf.mul(chargedGradient, leak));
    potentialGradient = tf.mul(chargedGradient, tf.sub(1, leak));
  }
  const ofRecurrence = recurrenceGradient === undefined ? [] : [recurrenceGradient];
  return [tf.stack(inputGradients), leakGradient, alphaGradient, ...ofRecurrence];
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
