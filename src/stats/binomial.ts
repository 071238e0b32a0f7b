/**
 * The exact probability of getting at least this many right by chance: `P(X ≥ k) = Σ_{i ≥ k} C(n, i) pⁱ (1 − p)ⁿ⁻ⁱ`. An interval that
 * keeps its level only on average, such as Wilson's, is too generous for few trials and a small share; this one always keeps it.
 *
 * @param successes from 0 to `trials`; a fraction is rounded down
 * @param trials at least 1
 * @param share of successes by chance, 0 to 1
 * @throws {RangeError} if a number is out of its range
 * @see Clopper and Pearson 1934, Biometrika 26, 404-413: their lower bound is above `share` exactly where this is below their level
 */
export function binomialUpperTail(successes: number, trials: number, share: number): number {
  if (!(trials > 0)) throw new RangeError(`binomialUpperTail: trials must be positive, not ${trials}`);
  if (!(successes >= 0 && successes <= trials)) {
    throw new RangeError(`binomialUpperTail: successes must be from 0 to ${trials}, not ${successes}`);
  }
  if (!(share >= 0 && share <= 1)) {
    throw new RangeError(`binomialUpperTail: share must be from 0 to 1, not ${share}`);
  }
  // A mean over seeds times the number of clips can come out slightly below a whole number.
  const least = Math.floor(successes + 1e-9);
  if (least === 0 || share === 1) return 1;
  if (share === 0) return 0;
  const odds = Math.log(share) - Math.log1p(-share);
  let logProbability = trials * Math.log1p(-share); // of no success
  let tail = 0;
  for (let count = 1; count <= trials; count++) {
    logProbability += Math.log((trials - count + 1) / count) + odds;
    if (count >= least) tail += Math.exp(logProbability);
  }
  return Math.min(1, tail);
}
