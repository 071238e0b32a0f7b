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
 * Backward in time, from the loss's derivatives ∂s by the spike and ∂v by the potential left (0 after the last step):
 *
 *   ∂s' = ∂s + ∂v · (rest − h) (hard) or ∂s − ∂v · threshold (soft); just ∂s where the reset is detached
 *   ∂h  = ∂s' · dS/du + ∂v · (1 − s) (hard) or ∂s' · dS/du + ∂v (soft), with S in place of the spike s, from surrogate.ts
 *   ∂x  = ∂h / τ,  ∂v of the step before = ∂h · (1 − 1/τ),  ∂(1/τ) += ∂h · (x − (v − rest)),  ∂α += ∂s' · dS/dα
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
