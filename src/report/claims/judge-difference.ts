import { stateP } from '../../stats/format-p.ts';
import { smallestDetectableDifference } from '../../stats/mcnemar.ts';
import { pairedEquivalence, pairedTTest } from '../../stats/means.ts';
import { NORMAL_QUANTILES } from '../../stats/normal.ts';
import { smallestDetectableMean } from '../../stats/paired-power.ts';
import { pairedDifference } from '../../stats/proportion-difference.ts';
import {
  compareModels,
  DIFFERENCE_LEVEL,
  isBySeed,
  isSignificant,
  type ModelDifference,
} from '../differences.ts';
import { endSentence, formatPoints, formatPointsRange, joinWords } from '../format.ts';
import type { ModelResult } from '../results.ts';
import type { Finding } from './judgement.ts';

interface Comparison extends ModelDifference {
  readonly equivalent: boolean;
  /** What would have been found in four of five cases; null if nothing could have been. */
  readonly detectable: number | null;
}

/**
 * "No significant difference" from a first model: not reproduced if any other differs (Holm-corrected level 5 %), reproduced only if all are
 * equal up to the margin, because a large p is no evidence of equality; inconclusive otherwise, with what could have been found.
 *
 * With one or two seeds the models are compared clip by clip (exact McNemar test), with more seed by seed (paired t test).
 */
export function judgeDifference(first: ModelResult, others: readonly ModelResult[], margin: number): Finding {
  const level = DIFFERENCE_LEVEL / others.length;
  const comparisons = compareModels({ models: [first, ...others] }).map(
    (one): Comparison => ({ ...one, ...judgeEquality(first, one, margin, level) }),
  );
  const measured = comparisons.map(describeMeasured).join('; ');
  const test = isBySeed(first) ? `paired t test over ${first.runs.length} seeds` : 'exact McNemar test';
  const significant = comparisons.filter(isSignificant);
  if (significant.length > 0) {
    return {
      verdict: 'not-reproduced',
      measured,
      reason: `${significant.map(({ model }) => model.title).join(', ')}: significant (${test}, corrected after Holm).`,
    };
  }
  if (comparisons.every(({ equivalent }) => equivalent)) {
    return {
      verdict: 'reproduced',
      measured,
      reason: `No difference is significant (${test}, corrected after Holm), and all are smaller than ${formatPoints(margin, false)} (two one-sided tests at 5 %).`,
    };
  }
  return {
    verdict: 'inconclusive',
    measured,
    reason: `No difference is significant (${test}, corrected after Holm), but that is no evidence of equality: ${describeDetectable(comparisons, isBySeed(first))}`,
  };
}

function describeMeasured({ model, difference, low, high, adjusted }: Comparison): string {
  const found = `${model.title} ${formatPoints(difference)}`;
  if (low === null || high === null || adjusted === null) return `${found} in every seed, so no p`;
  return `${found} (95 % interval ${formatPointsRange(low, high)}, corrected ${stateP(adjusted)})`;
}

function describeDetectable(comparisons: readonly Comparison[], bySeed: boolean): string {
  const known = comparisons.flatMap(({ detectable }) => (detectable === null ? [] : [detectable]));
  const without = comparisons.filter(({ detectable }) => detectable === null).map(({ model }) => model.title);
  if (known.length === 0) {
    return bySeed
      ? 'the differences are the same in every seed, so that nothing says how far they may be from those of other seeds.'
      : 'the models differ on too few clips for any test.';
  }
  const found = `only differences of at least ${formatPoints(Math.max(...known), false)} would be found in four of five cases`;
  if (without.length === 0) return `${found}.`;
  return endSentence(
    bySeed
      ? `${found}, and nothing can be said where all seeds differ by the same, as for ${joinWords(without)}`
      : `${found}, and none on as few differing clips as for ${joinWords(without)}`,
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
  const accuracies = ({ runs }: ModelResult) => runs.map(({ test }) => test.accuracy);
  const differences = pairedTTest(accuracies(model), accuracies(first));
  const { p } = pairedEquivalence(accuracies(model), accuracies(first), margin, DIFFERENCE_LEVEL);
  return {
    equivalent: p !== null && p < DIFFERENCE_LEVEL,
    detectable:
      differences.p === null
        ? null
        : smallestDetectableMean(differences.standardDeviation, differences.count, { alpha: level }),
  };
}
