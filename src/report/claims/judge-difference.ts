import { smallestDetectableMean } from '../../results/stats/crossed.ts';
import { NORMAL_QUANTILES } from '../../results/stats/distributions.ts';
import { pairedEquivalence, pairedTTest } from '../../results/stats/means.ts';
import { smallestDetectableDifference, stateP } from '../../results/stats/p-values.ts';
import { pairedDifference } from '../../results/stats/proportions.ts';
import {
  endSentence,
  formatPoints,
  formatPointsRange,
  formatQuantity,
  groupDigits,
  joinWords,
} from '../data/format.ts';
import {
  compareModels,
  DIFFERENCE_LEVEL,
  isBySeed,
  isSignificant,
  type ModelDifference,
  nameTest,
  pairedDifferences,
} from '../data/outcome.ts';
import type { ModelResult } from '../data/results.ts';
import type { Finding } from './judgement.ts';

interface Comparison extends ModelDifference {
  readonly equivalent: boolean;
  /** The smallest difference that would be found in four of five cases; null if none would be. */
  readonly detectable: number | null;
}

/**
 * "No significant difference" from a first model: not reproduced if any other differs (Holm-corrected level 5 %), reproduced only if all are
 * equal up to the margin, because a large p is no evidence of equality; inconclusive otherwise, with what could have been found.
 *
 * How the models are compared: {@link compareModels}.
 *
 * @param margin clips
 */
export function judgeDifference(first: ModelResult, others: readonly ModelResult[], margin: number): Finding {
  const clips = first.runs[0]?.test.clips ?? 0;
  const { comparisons, measured, test } = compareWith(first, others, margin / clips);
  const room = `${formatQuantity(margin, 'clip')} of ${groupDigits(clips)}`;
  const significant = comparisons.filter(isSignificant).map(({ model }) => model.title);
  const none = `No difference is significant (${test}, Holm-corrected)`;
  if (significant.length > 0) {
    const reason = `${significant.join(', ')}: significant (${test}, Holm-corrected).`;
    return { verdict: 'not-reproduced', measured, reason };
  }
  if (comparisons.every(({ equivalent }) => equivalent)) {
    const reason = `${none}, and all are certainly smaller than ${room} (two one-sided tests at 5 %).`;
    return { verdict: 'reproduced', measured, reason };
  }
  const reason = `${none}, but they are not certainly smaller than ${room}: ${describeDetectable(comparisons, isBySeed(first))}`;
  return { verdict: 'inconclusive', measured, reason };
}

/** A model is less accurate than each of the others: reproduced if all are significantly better than it, not reproduced if one is worse. */
export function judgeBelow(first: ModelResult, others: readonly ModelResult[]): Finding {
  const { comparisons, measured, test } = compareWith(first, others, 0);
  const how = `${test}${others.length === 1 ? '' : ', Holm-corrected'}, at the chosen epochs`;
  const significant = comparisons.filter(isSignificant);
  const worse = significant.filter(({ difference }) => difference < 0);
  if (worse.length > 0) {
    const titles = joinWords(worse.map(({ model }) => model.title));
    const reason = `${first.title} is significantly more accurate than ${titles} (${how}).`;
    return { verdict: 'not-reproduced', measured, reason };
  }
  if (significant.length === comparisons.length)
    return { verdict: 'reproduced', measured, reason: `Every difference is significant (${how}).` };
  const which = significant.length === 0 ? 'No' : 'Not every';
  const reason = `${which} difference is significant (${how}): ${describeDetectable(comparisons, isBySeed(first))}`;
  return { verdict: 'inconclusive', measured, reason };
}

function compareWith(first: ModelResult, others: readonly ModelResult[], margin: number) {
  const level = DIFFERENCE_LEVEL / others.length;
  const comparisons = compareModels({ models: [first, ...others] }).map(
    (one): Comparison => ({ ...one, ...judgeEquality(first, one, margin, level) }),
  );
  const measured = `from ${first.title}: ${comparisons.map(describeMeasured).join('; ')}`;
  const test = nameTest(first);
  return { comparisons, measured, test };
}

function describeMeasured({ model, difference, low, high, adjusted }: Comparison): string {
  const found = `${model.title} ${formatPoints(difference)}`;
  if (low === null || high === null || adjusted === null) return `${found} everywhere, so no p`;
  return `${found} (95 % interval ${formatPointsRange(low, high)}, corrected ${stateP(adjusted)})`;
}

function describeDetectable(comparisons: readonly Comparison[], bySeed: boolean): string {
  const known = comparisons.flatMap(({ detectable }) => (detectable === null ? [] : [detectable]));
  const without = comparisons.filter(({ detectable }) => detectable === null).map(({ model }) => model.title);
  if (known.length === 0) {
    return bySeed
      ? 'the differences are the same in every seed, so nothing says how much other seeds may differ.'
      : 'the models differ on too few clips for any test.';
  }
  const found = `only differences of at least ${formatPoints(Math.max(...known), false)} would be found in four of five cases`;
  if (without.length === 0) return `${found}.`;
  return endSentence(
    bySeed
      ? `${found}; where all seeds differ by the same amount, nothing can be said, as for ${joinWords(without)}`
      : `${found}; with as few differing clips as for ${joinWords(without)}, none would be`,
  );
}

/** @param level of the test for a difference, as corrected for the number of models */
function judgeEquality(
  first: ModelResult,
  { model, discordance }: ModelDifference,
  margin: number,
  level: number,
): Pick<Comparison, 'equivalent' | 'detectable'> {
  if (discordance !== null) {
    const narrow = pairedDifference(discordance, NORMAL_QUANTILES['95']);
    const { onlyFirst, onlySecond, clips } = discordance;
    return {
      equivalent: narrow.low > -margin && narrow.high < margin,
      detectable: smallestDetectableDifference(onlyFirst + onlySecond, clips, { alpha: level }),
    };
  }
  const pairs = pairedDifferences(first, model);
  const differences = pairedTTest(pairs);
  const p = margin > 0 ? pairedEquivalence(pairs, margin) : null;
  return {
    equivalent: p !== null && p < DIFFERENCE_LEVEL,
    detectable:
      differences.p === null
        ? null
        : smallestDetectableMean(differences.standardDeviation, differences.count, { alpha: level }),
  };
}
