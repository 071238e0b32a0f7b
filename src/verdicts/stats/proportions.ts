import { NORMAL_QUANTILES } from './distributions.ts';

/** A range of proportions, 0 <= `low` <= `high` <= 1. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * Wilson's score interval for a proportion, without continuity correction:
 * `(p + z²/2n ± z · √(p(1 − p)/n + z²/4n²)) / (1 + z²/n)`. Unlike `p ± z · √(p(1 − p)/n)` it keeps its coverage
 * near 0 and 1 and never leaves [0, 1].
 *
 * @param successes from 0 to `trials`; may be a fraction
 * @param trials at least 1
 * @param z quantile of the standard normal distribution, default 95 % two-sided
 * @see Wilson 1927, J. Am. Stat. Assoc. 22, 209-212; Newcombe 1998, Stat. Med. 17, 857-872, method 3
 */
export function wilsonInterval(
  successes: number,
  trials: number,
  z: number = NORMAL_QUANTILES['97.5'],
): Interval {
  const share = successes / trials;
  const square = (z * z) / trials;
  const centre = share + square / 2;
  const reach = z * Math.sqrt((share * (1 - share)) / trials + square / (4 * trials));
  // At 0 and `trials` the bound is exactly 0 or 1; rounding would be off by 1e-17.
  return {
    low: successes === 0 ? 0 : Math.max(0, (centre - reach) / (1 + square)),
    high: successes === trials ? 1 : Math.min(1, (centre + reach) / (1 + square)),
  };
}

interface ProportionDifference extends Interval {
  /** First minus second. */
  readonly difference: number;
}

/**
 * Newcombe's interval for the difference of two independent proportions, from Wilson's intervals of both; in it, either may be 0 or 1.
 *
 * @param first, second successes and trials; successes may be a fraction
 * @param z quantile of the standard normal distribution, default 95 % two-sided
 * @see Newcombe 1998, Stat. Med. 17, 873-890, method 10
 */
export function independentDifference(
  first: { readonly successes: number; readonly trials: number },
  second: { readonly successes: number; readonly trials: number },
  z?: number,
): ProportionDifference {
  const [a, b] = [first.successes / first.trials, second.successes / second.trials];
  const ofA = wilsonInterval(first.successes, first.trials, z);
  const ofB = wilsonInterval(second.successes, second.trials, z);
  const difference = a - b;
  return {
    difference,
    low: difference - Math.hypot(a - ofA.low, ofB.high - b),
    high: difference + Math.hypot(ofA.high - a, b - ofB.low),
  };
}
