import { incompleteBeta } from './special.ts';

/**
 * P(T ≤ t) of Student's distribution.
 *
 * @param degrees of freedom, positive, not necessarily whole
 */
export function studentCdf(t: number, degrees: number): number {
  if (!(degrees > 0)) throw new RangeError(`studentCdf: degrees of freedom must be positive, not ${degrees}`);
  if (Number.isNaN(t)) throw new RangeError('studentCdf: t is not a number');
  const tail = 0.5 * incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5);
  return t > 0 ? 1 - tail : tail;
}

/** Quantiles found so far: intervals at every epoch of a training ask for the same one, and there are few different ones. */
const found = new Map<string, number>();

/** The t with P(T ≤ t) = `probability`, by bisection. @param probability between 0 and 1, both excluded */
export function studentQuantile(probability: number, degrees: number): number {
  const key = `${probability},${degrees}`;
  const quantile = found.get(key) ?? findQuantile(probability, degrees);
  found.set(key, quantile);
  return quantile;
}

function findQuantile(probability: number, degrees: number): number {
  if (!(probability > 0 && probability < 1)) {
    throw new RangeError(`studentQuantile: the probability must be between 0 and 1, not ${probability}`);
  }
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
