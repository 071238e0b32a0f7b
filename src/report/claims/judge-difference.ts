import { holmAdjust } from '../../stats/holm.ts';
import {
  countDiscordant,
  type Discordance,
  mcnemarTest,
  smallestDetectableDifference,
} from '../../stats/mcnemar.ts';
import { pairedEquivalence, pairedTTest } from '../../stats/means.ts';
import { pairedDifference } from '../../stats/proportion-difference.ts';
import type { ModelResult } from '../results.ts';
import { formatPoints } from './format-points.ts';
import type { Finding } from './judgement.ts';

const LEVEL = 0.05;
const Z_90 = 1.6448536269514722;
/** From so many seeds on, they and not the clips say how sure a difference is. */
const SEVERAL_SEEDS = 3;

interface Comparison {
  readonly title: string;
  readonly difference: number;
  /** Of a test for a difference. */
  readonly p: number;
  readonly equivalent: boolean;
  /** What would have been found in four of five cases; null if nothing could have been. */
  readonly detectable: number | null;
  readonly test: string;
}

/**
 * "No significant difference" from a first model: not reproduced if any other differs (Holm-corrected level 5 %), reproduced only if all are
 * equal up to the margin, because a large p is no evidence of equality; inconclusive otherwise, with what could have been found.
 *
 * With one or two seeds the models are compared clip by clip (exact McNemar test), with more seed by seed (paired t test).
 */
export function judgeDifference(first: ModelResult, others: readonly ModelResult[], margin: number): Finding {
  const seeds = first.runs.length;
  const comparisons = others.map((other) =>
    seeds >= SEVERAL_SEEDS ? compareSeeds(first, other, margin) : compareClips(first, other, margin),
  );
  const adjusted = holmAdjust(comparisons.map(({ p }) => p));
  const measured = comparisons
    .map(({ title, difference }, i) => `${title} ${formatPoints(difference)} (${formatP(adjusted[i]!)})`)
    .join('; ');
  const test = comparisons[0]?.test ?? '';
  if (adjusted.some((p) => p <= LEVEL)) {
    const which = comparisons.filter((_, i) => adjusted[i]! <= LEVEL).map(({ title }) => title);
    return {
      verdict: 'not-reproduced',
      measured,
      reason: `${which.join(', ')}: significant (${test}, corrected after Holm).`,
    };
  }
  if (comparisons.every(({ equivalent }) => equivalent)) {
    return {
      verdict: 'reproduced',
      measured,
      reason: `No difference is significant (${test}, corrected after Holm), and all are smaller than ${formatPoints(margin, false)} (two one-sided tests at 5 %).`,
    };
  }
  const known = comparisons.map(({ detectable }) => detectable);
  const largest = known.includes(null) ? null : Math.max(...known.map((one) => one ?? 0));
  return {
    verdict: 'inconclusive',
    measured,
    reason:
      `No difference is significant (${test}, corrected after Holm), but that is no evidence of equality: ` +
      (largest === null
        ? 'the models differ on too few clips for any test.'
        : `only differences of at least ${formatPoints(largest, false)} would be found in four of five cases.`),
  };
}

function compareClips(first: ModelResult, other: ModelResult, margin: number): Comparison {
  // The seeds answer the same clips, so only one of them counts; with two, the first.
  const [a, b] = [first.runs[0]!, other.runs[0]!];
  const counts: Discordance = countDiscordant(
    b.answers.map(({ right }) => right),
    a.answers.map(({ right }) => right),
  );
  const narrow = pairedDifference(counts, Z_90);
  return {
    title: other.title,
    difference: narrow.difference,
    p: mcnemarTest(counts),
    equivalent: narrow.low > -margin && narrow.high < margin,
    detectable: smallestDetectableDifference(counts.onlyFirst + counts.onlySecond, counts.clips),
    test: 'exact McNemar test',
  };
}

function compareSeeds(first: ModelResult, other: ModelResult, margin: number): Comparison {
  const accuracies = (model: ModelResult) => model.runs.map(({ test }) => test.accuracy);
  const { mean, p, standardDeviation, count } = pairedTTest(accuracies(other), accuracies(first));
  const equivalence = pairedEquivalence(accuracies(other), accuracies(first), margin, LEVEL);
  return {
    title: other.title,
    difference: mean,
    p: p ?? 1,
    equivalent: (equivalence.p ?? 1) < LEVEL,
    // The normal approximation; for few seeds a little too small.
    detectable: ((1.959963984540054 + 0.8416212335729143) * standardDeviation) / Math.sqrt(count),
    test: `paired t test over ${count} seeds`,
  };
}

function formatP(p: number): string {
  return p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(3)}`;
}
