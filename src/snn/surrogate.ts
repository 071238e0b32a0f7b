import type { Surrogate } from './spec.ts';

/*
 * A spike is a step function of the membrane potential: its derivative is zero wherever it exists, so nothing could be learned
 * through it. Training therefore replaces it by the derivative of a smooth step S, the surrogate gradient. The spike itself remains
 * a step.
 *
 * With u = h − threshold, the membrane potential above the threshold, and a slope α > 0, every S here is a function of
 * z = α · u alone, so one derivative gives both that training needs:
 *
 *   dS/du = α · S'(z)      for the membrane potential, and from there for weights and time constants
 *   dS/dα = u · S'(z)      for the slope itself, if it is learned
 *
 * A larger α makes the step steeper: neurons near the threshold learn more, those far from it less. The area under dS/du is 1 for all
 * three; they differ in their peak and reach.
 */

/** A smooth step that rises from 0 to 1 and is 1/2 at z = 0, with its derivative. */
export interface SmoothStep {
  /** S(z). Training never uses it: it documents and tests the derivative. */
  readonly value: (z: number) => number;
  /** S'(z). */
  readonly derivative: (z: number) => number;
}

/**
 * ATan: `S = arctan(π/2 · α · u) / π + 1/2`, so
 * `dS/du = (α/2) / (1 + (π/2 · α · u)²)` and `dS/dα = (u/2) / (1 + (π/2 · α · u)²)`.
 *
 * Peak α/2; falls off as 1/u², so neurons far from the threshold still learn a little. The thesis uses it with α = 2.
 *
 * @see Fang et al. 2021 (arXiv 2007.05785)
 */
const atan: SmoothStep = {
  value: (z) => Math.atan((Math.PI / 2) * z) / Math.PI + 1 / 2,
  derivative: (z) => {
    const bent = (Math.PI / 2) * z;
    return 1 / 2 / (1 + bent * bent);
  },
};

/**
 * The logistic sigmoid σ(z) = 1 / (1 + e^−z): `S = σ(α · u)`, so
 * `dS/du = α · σ(α · u) · (1 − σ(α · u))` and `dS/dα = u · σ(α · u) · (1 − σ(α · u))`.
 *
 * Peak α/4; falls off exponentially. Not the fast sigmoid of Zenke & Ganguli 2018 (arXiv 1705.11146), whose derivative is
 * 1 / (1 + |z|)².
 *
 * @see Zenke & Vogels 2021 (doi 10.1162/neco_a_01367), who compare it with others
 */
const sigmoid: SmoothStep = {
  value: (z) => 1 / (1 + Math.exp(-z)),
  derivative: (z) => {
    const value = 1 / (1 + Math.exp(-z));
    return value * (1 - value);
  },
};

/**
 * Triangle: `S = 1/2 + α · u − sign(u) · (α · u)² / 2` for |α · u| ≤ 1, 0 below and 1 above, so
 * `dS/du = α · max(0, 1 − α · |u|)` and `dS/dα = u · max(0, 1 − α · |u|)`.
 *
 * Peak α; exactly 0 further than 1/α from the threshold, where neurons learn nothing.
 *
 * @see Esser et al. 2016 (arXiv 1603.08270); Bellec et al. 2018 (arXiv 1803.09574), who also damp it by 0.3
 */
const triangle: SmoothStep = {
  value: (z) => (z <= -1 ? 0 : z >= 1 ? 1 : 1 / 2 + z - (Math.sign(z) * z * z) / 2),
  derivative: (z) => Math.max(0, 1 - Math.abs(z)),
};

/** The smooth steps by their names in `Surrogate`. */
export const surrogates: Readonly<Record<Surrogate['kind'], SmoothStep>> = { atan, sigmoid, triangle };
