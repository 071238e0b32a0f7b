import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { NeuronSpec } from '../../../snn/spec.ts';
import { differentiable } from '../differentiable.ts';

export interface NeuronStep {
  /** Membrane potential before the spike. */
  readonly h: Tensor;
  /** 0 or 1. */
  readonly s: Tensor;
  /** Membrane potential after the reset. */
  readonly v: Tensor;
}

/** The potential that neurons start from and a hard reset goes to. */
export function restingPotential({ reset }: NeuronSpec): number {
  return reset.kind === 'hard' ? reset.potential : 0;
}

/**
 * One step: `h = v + (x − (v − vReset)) · leak`, `s = h ≥ threshold`, then `v = h · (1 − s) + vReset · s` (hard reset) or
 * `v = h − threshold · s` (soft, with vReset = 0 above).
 *
 * @param v membrane potential after the last step and x input current, [N, ...neurons]
 * @param leak 1/τ, [] or [1, ...neurons]
 * @see Fang et al. 2021 (arXiv 2007.05785)
 */
export function stepNeuron(v: Tensor, x: Tensor, leak: Tensor, neuron: NeuronSpec): NeuronStep {
  const h = tf.add(v, tf.mul(tf.sub(x, tf.sub(v, restingPotential(neuron))), leak));
  return comeBack(h, neuron);
}

function comeBack(h: Tensor, neuron: NeuronSpec): NeuronStep {
  const s = tf.cast(tf.greaterEqual(h, neuron.threshold), 'float32');
  const v =
    neuron.reset.kind === 'hard'
      ? tf.add(tf.mul(h, tf.sub(1, s)), tf.mul(s, neuron.reset.potential))
      : tf.sub(h, tf.mul(s, neuron.threshold));
  return { h, s, v };
}

/**
 * Spiking neurons over T steps with the backward pass written by hand. Backward in time, with u = h − threshold and
 * q = 1 + (π/2 · α · u)²:
 * `gs = dL/ds + dL/dv · dv/ds` (the second term only where the reset is attached),
 * `dL/dh = gs · (α/2) / q + dL/dv · dv/dh`, `dL/dα = Σ gs · (u/2) / q`, `dL/dx = dL/dh · leak`,
 * `dL/dv = dL/dh · (1 − leak)`, `dL/dleak = Σ dL/dh · (x − (v − vReset))`.
 *
 * @param current [T, N, ...neurons]
 * @param leak 1/τ, [] or [1, ...neurons]
 * @returns spikes, as `current`
 * @see Fang et al. 2021 (arXiv 2007.05785)
 */
export function integrateAndFire(current: Tensor, leak: Tensor, alpha: Scalar, neuron: NeuronSpec): Tensor {
  return differentiable([current, leak, alpha], () => {
    let v = tf.fill(current.shape.slice(1), restingPotential(neuron));
    const potentials: Tensor[] = [];
    const spikes: Tensor[] = [];
    for (const x of tf.unstack(current)) {
      const step = stepNeuron(v, x, leak, neuron);
      v = step.v;
      potentials.push(step.h);
      spikes.push(step.s);
    }
    return {
      value: tf.stack(spikes),
      keep: [current, leak, alpha, tf.stack(potentials)],
      backward: (dy, kept) => backward(dy, kept as [Tensor, Tensor, Tensor, Tensor], neuron),
    };
  });
}

function backward(
  spikeGradient: Tensor,
  [current, leak, alpha, potentials]: [Tensor, Tensor, Tensor, Tensor],
  neuron: NeuronSpec,
): Tensor[] {
  const { threshold, reset } = neuron;
  const rest = restingPotential(neuron);
  const inputs = tf.unstack(current);
  const hs = tf.unstack(potentials);
  const spikeGradients = tf.unstack(spikeGradient);
  const inputGradients: Tensor[] = [];
  let leakGradient: Tensor = tf.zerosLike(leak);
  let alphaGradient: Tensor = tf.zerosLike(alpha);
  let dv: Tensor = tf.zerosLike(hs[0] as Tensor);
  for (let t = hs.length - 1; t >= 0; t--) {
    const { h, s } = comeBack(hs[t] as Tensor, neuron);
    const before = t > 0 ? comeBack(hs[t - 1] as Tensor, neuron).v : tf.fill(h.shape, rest);
    const byReset = reset.kind === 'hard' ? tf.sub(rest, h) : tf.fill(h.shape, -threshold); // dv/ds
    const throughReset = reset.kind === 'hard' ? tf.sub(1, s) : tf.onesLike(h); // dv/dh
    const ds = spikeGradients[t] as Tensor;
    const gs = reset.detach ? ds : tf.add(ds, tf.mul(dv, byReset));
    const u = tf.sub(h, threshold);
    const q = tf.add(1, tf.square(tf.mul(tf.mul(u, alpha), Math.PI / 2)));
    const shared = tf.div(tf.mul(gs, 0.5), q);
    const dh = tf.add(tf.mul(shared, alpha), tf.mul(dv, throughReset));
    const drive = tf.sub(inputs[t] as Tensor, tf.sub(before, rest));
    alphaGradient = tf.add(alphaGradient, tf.sum(tf.mul(shared, u)));
    leakGradient = tf.add(leakGradient, sumLike(tf.mul(dh, drive), leak));
    inputGradients.unshift(tf.mul(dh, leak));
    dv = tf.mul(dh, tf.sub(1, leak));
  }
  return [tf.stack(inputGradients), leakGradient, alphaGradient];
}

/** Sums a gradient [N, ...neurons] to the shape of what was broadcast: [] or [1, ...neurons]. */
function sumLike(gradient: Tensor, to: Tensor): Tensor {
  return to.rank === 0 ? tf.sum(gradient) : tf.sum(gradient, 0, true);
}
