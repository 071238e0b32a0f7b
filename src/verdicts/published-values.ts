import type { Spread } from './stats/crossed.ts';
import { NORMAL_QUANTILES, studentQuantile } from './stats/distributions.ts';
import { type Interval, independentDifference, wilsonInterval } from './stats/proportions.ts';
import type { Answer } from './verdicts.ts';

/** Items, called clips in reports, and how many of them are right: a mean over several seeds may be a fraction. */
export interface ShareCounts {
  readonly correct: number;
  readonly clips: number;
}

/** How far a value may be off, below and above, at a level of confidence. */
type Reach = (level: 0.9 | 0.95) => { readonly below: number; readonly above: number };

/** A value with its independent sources of error. */
export interface Estimate {
  readonly value: number;
  readonly errors: readonly Reach[];
}

/** A share of counted items. */
export function estimateShare(counts: ShareCounts): Estimate {
  return { value: counts.correct / counts.clips, errors: [errorOfShare(counts)] };
}

/** The error from other items: Wilson's interval. */
export function errorOfShare({ correct, clips }: ShareCounts): Reach {
  return (level) => {
    const { low, high } = wilsonInterval(correct, clips, NORMAL_QUANTILES[level === 0.9 ? '95' : '97.5']);
    return { below: correct / clips - low, above: high - correct / clips };
  };
}

/** The error of a mean: Student's interval. */
export function errorOfSpread({ error, degrees }: Spread): Reach {
  return (level) => {
    const reach = studentQuantile((1 + level) / 2, degrees) * error;
    return { below: reach, above: reach };
  };
}

export interface PublishedComparison extends Interval {
  readonly verdict: Answer;
  /** Ours minus the published value; `low` and `high` are its 95 % interval. */
  readonly difference: number;
  readonly margin: number;
}

/**
 * Compares a value with a published one: reproduced if they are equal up to the margin (two one-sided tests at 5 %, that is, the 90 % interval of
 * the difference lies within it), even if such a small difference is significant; otherwise not reproduced if they differ significantly (the
 * 95 % interval excludes 0), and else inconclusive.
 *
 * The distances of the intervals of all sources of error are added as squares, on each side; for two shares, this is Newcombe's interval.
 *
 * @see Zou and Donner 2008, Stat. Med. 27, 1693-1702 (intervals of a difference from those of its parts)
 */
export function compareValues(ours: Estimate, published: Estimate, margin: number): PublishedComparison {
  const difference = ours.value - published.value;
  const intervalAt = (level: 0.9 | 0.95): Interval => {
    const mine = ours.errors.map((reach) => reach(level));
    const theirs = published.errors.map((reach) => reach(level));
    return {
      low: difference - Math.hypot(...mine.map(({ below }) => below), ...theirs.map(({ above }) => above)),
      high: difference + Math.hypot(...mine.map(({ above }) => above), ...theirs.map(({ below }) => below)),
    };
  };
  const [narrow, { low, high }] = [intervalAt(0.9), intervalAt(0.95)];
  const isEqual = narrow.low > -margin && narrow.high < margin;
  const verdict = isEqual ? 'reproduced' : low > 0 || high < 0 ? 'not-reproduced' : 'inconclusive';
  return { verdict, difference, low, high, margin };
}

/**
 * The margin of a published accuracy, in clips: the smallest margin with which two equally good trainings are found equal in half of the
 * cases. It is the reach of the 90 % interval between equal counts (no margin can be smaller) plus the median difference of two such
 * trainings. A margin for four of five cases would be too wide: at 95.5 % of 288 clips, a truly doubled error rate (13 clips more) would
 * lie inside it and count as equal.
 */
export function marginOf({ correct, clips }: ShareCounts): number {
  const equal = { successes: correct, trials: clips };
  const { low, high } = independentDifference(equal, equal, NORMAL_QUANTILES['95']);
  const median = NORMAL_QUANTILES['75'] * Math.sqrt((2 * correct * (clips - correct)) / clips);
  return Math.ceil(clips * Math.max(-low, high) + median);
}
