import type { Spread } from './crossed.ts';
import { incompleteBeta, incompleteGamma, logGamma, studentQuantile } from './distributions.ts';

/**
 * How often a two-sided t test finds a true difference, `P(|T'| > t)` with T' of the noncentral t distribution: its square is
 * noncentral F, a mixture of beta distributions with Poisson weights, `1 − Σ e^(−λ²/2) (λ²/2)^j / j! · I_x(j + ½, ν / 2)` with
 * `x = t² / (ν + t²)`.
 *
 * @param noncentrality λ, the true difference in standard errors of its mean, at least 0
 * @param degrees of freedom ν
 * @param alpha level of the test, 0 to 1, both excluded
 * @see Johnson, Kotz and Balakrishnan 1995, Continuous Univariate Distributions 2, 30.2 and 31.2
 */
export function studentTestPower(noncentrality: number, degrees: number, alpha: number): number {
  const critical = studentQuantile(1 - alpha / 2, degrees);
  const x = critical ** 2 / (degrees + critical ** 2);
  const rate = noncentrality ** 2 / 2;
  if (rate === 0) return 1 - incompleteBeta(x, 0.5, degrees / 2);
  let missed = 0;
  // Ten standard deviations of the Poisson distribution and as many terms as it takes where it is small.
  const last = Math.ceil(rate + 10 * Math.sqrt(rate) + 40);
  for (let j = 0; j <= last; j++) {
    const weight = Math.exp(j * Math.log(rate) - rate - logGamma(j + 1));
    if (weight > 0) missed += weight * incompleteBeta(x, j + 0.5, degrees / 2);
  }
  return Math.max(0, 1 - missed);
}

/**
 * The smallest true mean difference that a paired t test would find with the given power, if the differences scatter as they did.
 *
 * @param deviation of the differences, positive
 * @param count of pairs, at least 2
 * @param alpha level of the test
 * @param power how often it would be found, default 0.8
 * @returns in the unit of `deviation`
 * @throws {RangeError} if there are fewer pairs, or no deviation
 */
export function smallestDetectableMean(
  deviation: number,
  count: number,
  { alpha, power = 0.8 }: { readonly alpha: number; readonly power?: number },
): number {
  if (!(deviation > 0 && count >= 2)) {
    throw new RangeError(`smallestDetectableMean: a deviation of ${deviation} in ${count} pairs`);
  }
  return smallestDetectable({ error: deviation / Math.sqrt(count), degrees: count - 1 }, { alpha, power });
}

/** The smallest true mean that a two-sided t test finds with the given power. @param alpha level of the test @returns in the unit of `error` */
export function smallestDetectable(
  { error, degrees }: Spread,
  { alpha, power = 0.8 }: { readonly alpha: number; readonly power?: number },
): number {
  let high = 1;
  while (studentTestPower(high, degrees, alpha) < power) high *= 2;
  let low = 0;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (studentTestPower(middle, degrees, alpha) < power) low = middle;
    else high = middle;
  }
  return high * error;
}

/**
 * How often two one-sided t tests (TOST) would show that a true mean of 0 is within ±`margin`: the estimate is `Z · error`, its own error
 * `error · √(χ² / ν)`, so `P(|Z| + t · √(χ² / ν) < margin / error) = ∫ 2 φ(z) · P(χ² < ν · ((margin / error − z) / t)²) dz` from 0 to
 * `margin / error`.
 *
 * @param margin positive, in the unit of `error`
 * @param alpha level of each test
 * @see Phillips 1990, J. Pharmacokinet. Biopharm. 18, 137-144
 */
export function equivalencePower({ error, degrees }: Spread, margin: number, alpha: number): number {
  const t = studentQuantile(1 - alpha, degrees);
  const room = margin / error;
  const density = (z: number) =>
    Math.sqrt(2 / Math.PI) *
    Math.exp(-(z ** 2) / 2) *
    incompleteGamma(degrees / 2, (degrees / 2) * ((room - z) / t) ** 2);
  // Simpson's rule; beyond nine standard deviations there is nothing.
  const last = Math.min(room, 9);
  const steps = 400;
  let sum = density(0) + density(last);
  for (let i = 1; i < steps; i++) sum += (i % 2 === 1 ? 4 : 2) * density((i * last) / steps);
  return Math.min(1, (sum * last) / (3 * steps));
}
