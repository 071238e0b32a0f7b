import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { NeuronSpec } from '../../../snn/spec.ts';
import { differentiable } from '../differentiable.ts';

/**
 * Spiking neurons over T steps, composed of tfjs operations, with the backward pass written by hand:
 * `h = v + (x − (v − vReset)) · leak`, `s = h ≥ threshold`, `v = h · (1 − s) + vReset · s` (hard) or `v = h − threshold · s` (soft).
 *
 * Backward in time, with u = h − threshold and q = 1 + (π/2 · α · u)²:
 * `gs = dL/ds + dL/dv · dv/ds` (the second term only where the reset is attached),
 * `dL/dh = gs · (α/2) / q + dL/dv · dv/dh`, `dL/dα = Σ gs · (u/2) / q`, `dL/dx = dL/dh · leak`,
 * `dL/dv = dL/dh · (1 − leak)`, `dL/dleak = Σ dL/dh · (x − (v − vReset))`.
 *
 * @param current [T, N, ...neurons]
 * @param leak 1/τ, [] or [1, ...neurons]
 * @returns spikes, as `current`
 * @see Fang et al. 2021, eq. 2-5 and 11
 */
export function integrateAndFire(current: Tensor, leak: Tensor, alpha: Scalar, neuron: NeuronSpec): Tensor {
  const { threshold, reset } = neuron;
  const rest = reset.kind === 'hard' ? reset.potential : 0;

  const comeBack = (h: Tensor, s: Tensor): Tensor =>
    reset.kind === 'hard'
      ? tf.add(tf.mul(h, tf.sub(1, s)), tf.mul(s, rest))
      : tf.sub(h, tf.mul(s, threshold));
  const spike = (h: Tensor): Tensor => tf.cast(tf.greaterEqual(h, threshold), 'float32');

  return differentiable([current, leak, alpha], () => {
    let v = tf.fill(current.shape.slice(1), rest);
    const potentials: Tensor[] = [];
    const spikes: Tensor[] = [];
    for (const xt of tf.unstack(current)) {
      const h = tf.add(v, tf.mul(tf.sub(xt, tf.sub(v, rest)), leak));
      const s = spike(h);
      v = comeBack(h, s);
      potentials.push(h);
      spikes.push(s);
    }

    const backward = (dy: Tensor, kept: readonly Tensor[]): Tensor[] => {
      const [x, k, a, stacked] = kept as [Tensor, Tensor, Tensor, Tensor];
      const inputs = tf.unstack(x);
      const hs = tf.unstack(stacked);
      const spikeGradients = tf.unstack(dy);
      const inputGradients: Tensor[] = [];
      let leakGradient: Tensor = tf.zerosLike(k);
      let alphaGradient: Tensor = tf.zerosLike(a);
      let dv: Tensor = tf.zerosLike(hs[0] as Tensor);
      for (let t = hs.length - 1; t >= 0; t--) {
        const h = hs[t] as Tensor;
        const s = spike(h);
        const before =
          t > 0 ? comeBack(hs[t - 1] as Tensor, spike(hs[t - 1] as Tensor)) : tf.fill(h.shape, rest);
        const byReset = reset.kind === 'hard' ? tf.sub(rest, h) : tf.fill(h.shape, -threshold); // dv/ds
        const throughReset = reset.kind === 'hard' ? tf.sub(1, s) : tf.onesLike(h); // dv/dh
        const spikeGradient = spikeGradients[t] as Tensor;
        const gs = reset.detach ? spikeGradient : tf.add(spikeGradient, tf.mul(dv, byReset));
        const u = tf.sub(h, threshold);
        const shared = tf.div(tf.mul(gs, 0.5), tf.add(1, tf.square(tf.mul(tf.mul(u, a), Math.PI / 2))));
        const dh = tf.add(tf.mul(shared, a), tf.mul(dv, throughReset));
        const drive = tf.sub(inputs[t] as Tensor, tf.sub(before, rest));
        alphaGradient = tf.add(alphaGradient, tf.sum(tf.mul(shared, u)));
        leakGradient = tf.add(leakGradient, sumLike(tf.mul(dh, drive), k));
        inputGradients.unshift(tf.mul(dh, k));
        dv = tf.mul(dh, tf.sub(1, k));
      }
      return [tf.stack(inputGradients), leakGradient, alphaGradient];
    };
    return { value: tf.stack(spikes), keep: [current, leak, alpha, tf.stack(potentials)], backward };
  });
}

/** Sums a gradient [N, ...neurons] to the shape of what was broadcast: [] or [1, ...neurons]. */
function sumLike(gradient: Tensor, to: Tensor): Tensor {
  return to.rank === 0 ? tf.sum(gradient) : tf.sum(gradient, 0, true);
}
