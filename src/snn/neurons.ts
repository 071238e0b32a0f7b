import type { NeuronSpec } from './spec.ts';

/*
 * One step of a spiking neuron (LIF, or PLIF if τ is learned), with the input current x and the potential v after the
 * previous step (rest before the first):
 *
 *   charge   h = v + (x − (v − rest)) / τ
 *   fire     s = 1 if h ≥ threshold, else 0
 *   reset    v = rest if s = 1 (hard), or v = h − threshold · s (soft, with rest = 0 above), else v = h
 *
 * Training learns not τ but its logit w: 1/τ = sigmoid(w) stays between 0 and 1 for any w.
 *
 * The backward pass does the reverse, from the last step to the first. dL/ds comes from the next layer, and dL/dv, the derivative by the
 * potential after the step, from the following step (0 after the last). With u = h − threshold, and the smooth step S that replaces
 * the spike (surrogate.ts):
 *
 *   reset    dL/ds += dL/dv · dv/ds                        dv/ds = rest − h (hard), −threshold (soft), 0 if the reset is detached
 *   fire     dL/dh  = dL/ds · dS/du + dL/dv · dv/dh        dv/dh = 1 − s (hard), 1 (soft)
 *            dL/dα += dL/ds · dS/dα
 *   charge   dL/dx  = dL/dh / τ
 *            dL/d(1/τ) += dL/dh · (x − (v − rest))         and at the end dL/dw = dL/d(1/τ) · 1/τ · (1 − 1/τ)
 *            dL/dv of the step before = dL/dh · (1 − 1/τ)
 *
 * Gradients of shared parameters add up over steps and samples, and over the neurons that share them.
 *
 * See Fang et al. 2021 (arXiv 2007.05785).
 */

/** The membrane potential after one step's input, before a spike. @param leak 1/τ, τ in time steps */
export function charge(potential: number, current: number, leak: number, rest: number): number {
  return potential + (current - (potential - rest)) * leak;
}

/** The membrane potential after a step: reset if the threshold was reached, otherwise unchanged. */
export function reset(charged: number, threshold: number, hardReset: boolean, rest: number): number {
  return charged >= threshold ? (hardReset ? rest : charged - threshold) : charged;
}

/** The initial potential, which is also the target of a hard reset. */
export function restingPotential(neuron: NeuronSpec): number {
  return neuron.reset.kind === 'hard' ? neuron.reset.potential : 0;
}

/** `w = −ln(τ − 1)`, the logit of 1/τ. @param tauSteps above 1; at 1, it is infinite */
export function logitOfTau(tauSteps: number): number {
  return 0 - Math.log(tauSteps - 1); // 0 minus, for +0 at τ = 2
}

/** `τ = 1 / sigmoid(w) = 1 + e^−w`, in time steps. */
export function tauOfLogit(logit: number): number {
  return 1 + Math.exp(-logit);
}
