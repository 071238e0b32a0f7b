import { NORMAL_QUANTILES } from '../../stats/normal.ts';
import { independentDifference } from '../../stats/proportion-difference.ts';
import { formatPercent, formatPercentRange, formatPoints, formatPointsRange } from '../format.ts';
import type { Accuracy, Outcome } from '../outcome.ts';
import type { Claim, Measure } from './claim.ts';
import { type Finding, notApplicable } from './judgement.ts';

const { 80: Z_POWER, 95: Z_90, '97.5': Z_95 } = NORMAL_QUANTILES;

/**
 * Compares an accuracy with the published one: reproduced if they are equal up to the margin (two one-sided tests at 5 %, that is, the
 * 90 % interval of the difference lies within it), even if so small a difference is significant; otherwise not reproduced if they differ
 * significantly (the 95 % interval excludes 0), and else inconclusive. The published training's answers are unknown clip by clip, so
 * both count as independent, which they are not quite: the intervals are too wide rather than too narrow.
 */
export function judgeAccuracy(
  { published }: Claim,
  measure: Extract<Measure, { kind: 'accuracy' }>,
  outcome: Outcome,
  margin: number,
): Finding {
  const accuracy = outcome[measure.epoch][measure.split];
  if (accuracy === null) return notApplicable('No clips were held out for validation.');
  const ours = { successes: accuracy.mean * accuracy.clips, trials: accuracy.clips };
  if (published === null) throw new RangeError('a published accuracy is needed to compare with');
  const theirs = { successes: published.correct, trials: published.clips };
  const narrow = independentDifference(ours, theirs, Z_90);
  const wide = independentDifference(ours, theirs, Z_95);
  const measured = describeAccuracy(accuracy);
  const difference = `The difference from ${theirs.successes} of ${theirs.trials} is ${formatPoints(wide.difference)}, 95 % interval ${formatPointsRange(wide.low, wide.high)}`;
  if (narrow.low > -margin && narrow.high < margin) {
    return {
      verdict: 'reproduced',
      measured,
      reason: `${difference}; it is smaller than ${formatPoints(margin, false)} (two one-sided tests at 5 %).`,
    };
  }
  if (wide.low > 0 || wide.high < 0) return { verdict: 'not-reproduced', measured, reason: `${difference}.` };
  const share = (ours.successes + theirs.successes) / (ours.trials + theirs.trials);
  const error = Math.sqrt(share * (1 - share) * (1 / ours.trials + 1 / theirs.trials));
  const detectable = (Z_95 + Z_POWER) * error;
  return {
    verdict: 'inconclusive',
    measured,
    reason: `${difference}. With ${ours.trials} and ${theirs.trials} clips, only a difference of at least ${formatPoints(detectable, false)} would be found in four of five cases.`,
  };
}

function describeAccuracy({ mean, clips, count, interval, min, max }: Accuracy): string {
  const range = `95 % interval ${formatPercentRange(interval.low, interval.high)}`;
  if (count === 1) return `${formatPercent(mean)} (${Math.round(mean * clips)} of ${clips}), ${range}`;
  return `${formatPercent(mean)} of ${clips}, mean of ${count} seeds (${formatPercentRange(min, max)}), ${range}`;
}
