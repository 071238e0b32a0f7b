import { incompleteBeta, logGamma, studentQuantile } from './distributions.ts';

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
  const degrees = count - 1;
  let high = 1;
  while (studentTestPower(high, degrees, alpha) < power) high *= 2;
  let low = 0;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (studentTestPower(middle, degrees, alpha) < power) low = middle;
    else high = middle;
  }
  return (high * deviation) / Math.sqrt(count);
}
