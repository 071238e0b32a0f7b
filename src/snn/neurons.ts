import type { NeuronSpec } from './spec.ts';

/*
 * The spiking neuron (LIF, and PLIF where τ is learned), one step in numbers. With the input current x and the potential v that the
 * last step left (rest before the first):
 *
 *   charge   h = v + (x − (v − rest)) / τ
 *   fire     s = 1 where h ≥ threshold, else 0
 *   reset    v = rest where s = 1 (hard), or v = h − threshold · s (soft, with rest = 0 above), else v = h
 *
 * Learned is not τ but its logit w: 1/τ = sigmoid(w) stays between 0 and 1 whatever w becomes.
 *
 * Backward, from the last step to the first, the same in reverse. dL/ds comes from the layer behind, and dL/dv, the derivative by the
 * potential that the step left, from the step after it (0 after the last). With u = h − threshold, and the smooth step S that stands in
 * for the spike (surrogate.ts):
 *
 *   reset    dL/ds += dL/dv · dv/ds                        dv/ds = rest − h (hard), −threshold (soft), 0 where the reset is detached
 *   fire     dL/dh  = dL/ds · dS/du + dL/dv · dv/dh        dv/dh = 1 − s (hard), 1 (soft)
 *            dL/dα += dL/ds · dS/dα
 *   charge   dL/dx  = dL/dh / τ
 *            dL/d(1/τ) += dL/dh · (x − (v − rest))         and at the end dL/dw = dL/d(1/τ) · 1/τ · (1 − 1/τ)
 *            dL/dv of the step before = dL/dh · (1 − 1/τ)
 *
 * What is shared adds up: over steps and samples, and over the neurons that have it in common.
 *
 * See Fang et al. 2021 (arXiv 2007.05785).
 */

/** Membrane potential after the input of one step and before a spike. @param leak 1/τ, τ in time steps */
export function charge(potential: number, current: number, leak: number, rest: number): number {
  return potential + (current - (potential - rest)) * leak;
}

/** Membrane potential that a step leaves: that before the spike, or where the threshold was reached, after the reset. */
export function reset(charged: number, threshold: number, hardReset: boolean, rest: number): number {
  return charged >= threshold ? (hardReset ? rest : charged - threshold) : charged;
}

/** The potential that neurons start from and a hard reset goes to. */
export function restingPotential(neuron: NeuronSpec): number {
  return neuron.reset.kind === 'hard' ? neuron.reset.potential : 0;
}

/** `w = −ln(τ − 1)`, the logit of 1/τ. @param tauSteps above 1 */
export function logitOfTau(tauSteps: number): number {
  return 0 - Math.log(tauSteps - 1); // 0 minus, for +0 at τ = 2
}

/** `τ = 1 / sigmoid(w) = 1 + e^−w`, in time steps. */
export function tauOfLogit(logit: number): number {
  return 1 + Math.exp(-logit);
}
