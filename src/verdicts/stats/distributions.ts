/** Quantiles of the standard normal distribution. */
export const NORMAL_QUANTILES = {
  /** 75 %: two-sided 50 %. */
  '75': 0.6744897501960817,
  /** 80 %: one-sided, for a power of 80 %. */
  '80': 0.8416212335729143,
  /** 95 %: two-sided 90 %. */
  '95': 1.6448536269514722,
  /** 97.5 %: two-sided 95 %. */
  '97.5': 1.959963984540054,
} as const;

/**
 * P(T ≤ t) of Student's distribution.
 *
 * @param degrees of freedom, positive, not necessarily whole
 */
export function studentCdf(t: number, degrees: number): number {
  const tail = 0.5 * incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5);
  return t > 0 ? 1 - tail : tail;
}

/** Quantiles found so far: intervals at every epoch of a training ask for the same one, and there are few different ones. */
const found = new Map<string, number>();

/** The t with P(T ≤ t) = `probability`, by bisection. @param probability between 0 and 1, both excluded */
export function studentQuantile(probability: number, degrees: number): number {
  if (!(degrees > 0)) throw new RangeError(`expected more than 0 degrees of freedom, found ${degrees}`);
  const key = `${probability},${degrees}`;
  const quantile = found.get(key) ?? findQuantile(probability, degrees);
  found.set(key, quantile);
  return quantile;
}

function findQuantile(probability: number, degrees: number): number {
  if (probability === 0.5) return 0;
  // The lower tail is not rounded off as one minus it is.
  if (probability > 0.5) return -findQuantile(1 - probability, degrees);
  let low = -1;
  while (studentCdf(low, degrees) > probability) low *= 2;
  let high = 0;
  for (let i = 0; i < 200 && high - low > 1e-15 * Math.abs(low); i++) {
    const middle = (low + high) / 2;
    if (studentCdf(middle, degrees) > probability) high = middle;
    else low = middle;
  }
  return (low + high) / 2;
}

/** Lanczos' approximation with g = 7 and nine terms (coefficients of Godfrey 2001); relative error about 1e-15. */
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
] as const;

/** ln Γ(x) for x > 0. */
export function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const shifted = x - 1;
  let sum: number = LANCZOS[0];
  for (let i = 1; i < LANCZOS.length; i++) sum += LANCZOS[i]! / (shifted + i);
  const base = shifted + 7.5;
  return 0.5 * Math.log(2 * Math.PI) + (shifted + 0.5) * Math.log(base) - base + Math.log(sum);
}

/**
 * The regularised incomplete beta function I_x(a, b), by Lentz' evaluation of its continued fraction.
 *
 * @param x 0 to 1
 * @param a, b positive
 * @see DLMF 8.17.22 (https://dlmf.nist.gov/8.17); Lentz 1976, Appl. Opt. 15, 668-671
 */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x === 0 || x === 1) return x;
  // The fraction converges fast only on this side of the mean.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const logFront =
    logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x) - Math.log(a);
  return Math.exp(logFront) / betaFraction(x, a, b);
}

const TINY = 1e-300;
const MOST_TERMS = 500;

function betaFraction(x: number, a: number, b: number): number {
  const away = (value: number) => (Math.abs(value) < TINY ? TINY : value);
  let numerator = 1;
  let denominator = 0;
  let value = 1;
  for (let i = 1; i <= MOST_TERMS; i++) {
    const m = i >> 1;
    const term =
      i % 2 === 0
        ? (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
        : (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    denominator = 1 / away(1 + term * denominator);
    numerator = away(1 + term / numerator);
    const factor = numerator * denominator;
    value *= factor;
    if (Math.abs(factor - 1) < 1e-15) break;
  }
  return value;
}

/**
 * The regularised lower incomplete gamma function `P(a, x) = x^a e^(−x) / Γ(a + 1) · Σ x^n / ((a + 1) … (a + n))`; P(χ² < 2x) with 2a degrees
 * of freedom.
 *
 * @param a positive
 * @param x at least 0
 * @see DLMF 8.11.4 (https://dlmf.nist.gov/8.11)
 */
export function incompleteGamma(a: number, x: number): number {
  if (x === 0) return 0;
  // So far above the mean, nothing is left in the last digits.
  if (x > a + 20 * Math.sqrt(a) + 50) return 1;
  let term = 1;
  let sum = 1;
  for (let n = 1; term > 1e-17 * sum; n++) {
    term *= x / (a + n);
    sum += term;
  }
  return Math.min(1, sum * Math.exp(a * Math.log(x) - x - logGamma(a + 1)));
}

/**
 * The exact probability of getting at least this many right by chance: `P(X ≥ k) = Σ_{i ≥ k} C(n, i) pⁱ (1 − p)ⁿ⁻ⁱ`. An interval that
 * keeps its level only on average, such as Wilson's, is too generous for few trials and a small share; this one always keeps it.
 *
 * @param successes from 0 to `trials`; a fraction is rounded down
 * @param trials at least 1
 * @param share of successes by chance, 0 to 1
 * @see Clopper and Pearson 1934, Biometrika 26, 404-413: their lower bound is above `share` exactly where this is below their level
 */
export function binomialUpperTail(successes: number, trials: number, share: number): number {
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
