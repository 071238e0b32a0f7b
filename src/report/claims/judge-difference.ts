import { holmAdjust } from '../../stats/holm.ts';
import {
  countDiscordant,
  type Discordance,
  mcnemarTest,
  smallestDetectableDifference,
} from '../../stats/mcnemar.ts';
import { pairedEquivalence, pairedTTest } from '../../stats/means.ts';
import { NORMAL_QUANTILES } from '../../stats/normal.ts';
import { pairedDifference } from '../../stats/proportion-difference.ts';
import { studentQuantile } from '../../stats/student.ts';
import { endSentence, joinWords } from '../format.ts';
import type { ModelResult } from '../results.ts';
import { formatPoints } from './format-points.ts';
import type { Finding } from './judgement.ts';

const LEVEL = 0.05;
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
  const compare = first.runs.length >= SEVERAL_SEEDS ? compareSeeds : compareClips;
  const comparisons = others.map((other) => compare(first, other, margin, LEVEL / others.length));
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
  return {
    verdict: 'inconclusive',
    measured,
    reason: `No difference is significant (${test}, corrected after Holm), but that is no evidence of equality: ${describeDetectable(comparisons)}`,
  };
}

function describeDetectable(comparisons: readonly Comparison[]): string {
  const known = comparisons.flatMap(({ detectable }) => (detectable === null ? [] : [detectable]));
  if (known.length === 0) return 'the models differ on too few clips for any test.';
  const found = `only differences of at least ${formatPoints(Math.max(...known), false)} would be found in four of five cases`;
  const without = comparisons.filter(({ detectable }) => detectable === null).map(({ title }) => title);
  if (without.length === 0) return `${found}.`;
  return endSentence(`${found}, and none on as few differing clips as for ${joinWords(without)}`);
}

/** @param level of the test, as corrected for the number of models */
function compareClips(first: ModelResult, other: ModelResult, margin: number, level: number): Comparison {
  // The seeds answer the same clips, so only one of them counts; with two, the first.
  const [a, b] = [first.runs[0]!, other.runs[0]!];
  const counts: Discordance = countDiscordant(
    b.answers.map(({ right }) => right),
    a.answers.map(({ right }) => right),
  );
  const narrow = pairedDifference(counts, NORMAL_QUANTILES['95']);
  return {
    title: other.title,
    difference: narrow.difference,
    p: mcnemarTest(counts),
    equivalent: narrow.low > -margin && narrow.high < margin,
    detectable: smallestDetectableDifference(counts.onlyFirst + counts.onlySecond, counts.clips, {
      alpha: level,
    }),
    test: 'exact McNemar test',
  };
}

function compareSeeds(first: ModelResult, other: ModelResult, margin: number, level: number): Comparison {
  const accuracies = (model: ModelResult) => model.runs.map(({ test }) => test.accuracy);
  const { mean, p, standardDeviation, count } = pairedTTest(accuracies(other), accuracies(first));
  const equivalence = pairedEquivalence(accuracies(other), accuracies(first), margin, LEVEL);
  return {
    title: other.title,
    difference: mean,
    p: p ?? 1,
    equivalent: (equivalence.p ?? 1) < LEVEL,
    detectable:
      ((studentQuantile(1 - level / 2, count - 1) + studentQuantile(0.8, count - 1)) * standardDeviation) /
      Math.sqrt(count),
    test: `paired t test over ${count} seeds`,
  };
}

function formatP(p: number): string {
  return p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(3)}`;
}
