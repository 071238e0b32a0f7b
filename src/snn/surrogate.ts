/*
 * A spike is a step function of the membrane potential: its derivative is zero wherever it has one, and nothing could be learned
 * through it. Training therefore puts the derivative of a smooth function in its place, the surrogate gradient. The spike itself stays
 * a step.
 *
 * ATan, with u = h − threshold and the slope α: `S(u) = arctan(π/2 · α · u) / π + 1/2`, whose derivatives are
 * `dS/du = (α/2) / q` and, for a slope that is learned, `dS/dα = (u/2) / q`, with `q = 1 + (π/2 · α · u)²`.
 *
 * See Fang et al. 2021 (arXiv 2007.05785).
 */

/**
 * What both derivatives of the ATan surrogate are divided by: `q = 1 + (π/2 · α · u)²`.
 *
 * @param excess u, how far the membrane potential is above the threshold
 * @param alpha α; the surrogate's derivative at the threshold is α/2
 */
export function atanDenominator(excess: number, alpha: number): number {
  const bent = (Math.PI / 2) * alpha * excess;
  return 1 + bent * bent;
}
