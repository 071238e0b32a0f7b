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
 * the spike (below):
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

/*
 * A spike is a step function of the membrane potential: its derivative is zero wherever it exists, so nothing could be learned
 * through it. Training therefore replaces it by the derivative of a smooth step S, the surrogate gradient. The spike itself remains
 * a step.
 *
 * With a slope α > 0, every S here is a function of z = α · u alone, from 0 to 1 and 1/2 at z = 0, so one derivative gives both that training
 * needs: dS/du = α · S'(z), for the membrane potential, and from there for weights and time constants; and dS/dα = u · S'(z), for the slope
 * itself, if it is learned.
 *
 *   atan       S = arctan(π/2 · z) / π + 1/2     S' = 1/2 / (1 + (π/2 · z)²)    falls off as 1/u²; the thesis uses it with α = 2
 *   sigmoid    S = σ(z) = 1 / (1 + e^−z)         S' = σ(z) · (1 − σ(z))         falls off exponentially
 *   triangle   S = 1/2 + z − sign(z) · z² / 2    S' = max(0, 1 − |z|)           exactly 0 further than 1/α from the threshold
 *
 * A larger α makes the step steeper: neurons near the threshold learn more, those far from it less. The area under dS/du is 1 for all
 * three; their peaks are α/2, α/4 and α. The sigmoid is not the fast one of Zenke & Ganguli 2018 (arXiv 1705.11146), whose derivative is
 * 1 / (1 + |z|)².
 *
 * See Fang et al. 2021 (arXiv 2007.05785) for atan, Zenke & Vogels 2021 (doi 10.1162/neco_a_01367) for comparisons, and for the triangle
 * Esser et al. 2016 (arXiv 1603.08270) and Bellec et al. 2018 (arXiv 1803.09574), who also damp it by 0.3.
 */

/** The membrane potential after a step: reset if the threshold was reached, otherwise unchanged. */
export function reset(charged: number, threshold: number, hardReset: boolean, rest: number): number {
  return charged >= threshold ? (hardReset ? rest : charged - threshold) : charged;
}

/** The initial potential, which is also the target of a hard reset. */
export function restingPotential({ reset }: Pick<NeuronSpec, 'reset'>): number {
  return reset.kind === 'hard' ? reset.potential : 0;
}

/** `w = −ln(τ − 1)`, the logit of 1/τ. @param tauSteps above 1; at 1, it is infinite */
export function logitOfTau(tauSteps: number): number {
  return 0 - Math.log(tauSteps - 1); // 0 minus, for +0 at τ = 2
}

/** `τ = 1 / sigmoid(w) = 1 + e^−w`, in time steps. */
export function tauOfLogit(logit: number): number {
  return 1 + Math.exp(-logit);
}
