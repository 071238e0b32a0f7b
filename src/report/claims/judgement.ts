import { NORMAL_QUANTILES } from '../../results/stats/distributions.ts';
import { independentDifference, wilsonInterval } from '../../results/stats/proportions.ts';
import { type Answer, hasFolds, type Verdict } from '../../results/thesis/published.ts';
import {
  formatPercentRange,
  formatPoints,
  formatPointsRange,
  formatQuantity,
  formatShare,
  groupDigits,
} from '../data/format.ts';
import type { Accuracy, Outcome } from '../data/outcome.ts';
import type { ModelResult } from '../data/results.ts';
import type { Claim, MeasureOf, Published } from './claim.ts';

export interface Judgement {
  readonly claim: Claim;
  readonly verdict: Verdict;
  /** The measured value, for people; empty if nothing could be measured. */
  readonly measured: string;
  readonly reason: string;
}

export type Finding = Omit<Judgement, 'claim'>;

export function notApplicable(reason: string): Finding {
  return { verdict: 'not-applicable', measured: '', reason };
}

/** Whether a statement holds in one seed; null if unknown. */
interface SeedFinding {
  readonly seed: number;
  readonly holds: boolean | null;
  readonly measured: string;
}

/** For statements that hold or fail in each seed. */
export function judgeSeeds(seeds: readonly SeedFinding[], reason: string): Finding {
  const holding = seeds.filter(({ holds }) => holds === true).length;
  const failing = seeds.filter(({ holds }) => holds === false).length;
  const verdict =
    holding === seeds.length ? 'reproduced' : failing === seeds.length ? 'not-reproduced' : 'inconclusive';
  const measured =
    seeds.length === 1
      ? seeds[0]!.measured
      : seeds.map(({ seed, measured }) => `seed ${seed}: ${measured}`).join('; ');
  const rest =
    verdict === 'inconclusive' && seeds.length > 1 ? describeShare(holding, failing, seeds.length) : '';
  return { verdict, measured, reason: reason + rest };
}

/** For what share of all seeds it may hold: a few seeds leave much open. */
function describeShare(holding: number, failing: number, all: number): string {
  if (holding + failing < all) {
    return ` It holds for ${holding} of ${all} seeds, and not for ${failing}; for the others, this is unknown.`;
  }
  const { low, high } = wilsonInterval(holding, all);
  return ` It holds for ${holding} of ${all} seeds, so of all seeds for ${formatPercentRange(low, high)} (95 % interval, Wilson).`;
}

/** The judgement of a model's published test accuracy, a maximum over epochs; null if there is no such claim, or this run cannot judge it. */
export function findPublishedTest(model: ModelResult, judgements: readonly Judgement[]): Judgement | null {
  const { published } = model;
  if (published === null || hasFolds({ models: [model] })) return null;
  const found = judgements.find(
    ({ claim: { measure, published: stated } }) =>
      measure.kind === 'accuracy' &&
      measure.model === published.name &&
      measure.split === 'test' &&
      measure.epoch === 'maximum' &&
      stated?.share === published.test,
  );
  return found === undefined || found.verdict === 'not-applicable' ? null : found;
}

const { 75: Z_HALF, 80: Z_POWER, 95: Z_90, '97.5': Z_95 } = NORMAL_QUANTILES;

/**
 * The margin of a published accuracy, in clips: the smallest margin with which two equally good trainings are found equal in half of the
 * cases. It is the reach of the 90 % interval between equal counts (no margin can be smaller) plus the median difference of two such
 * trainings. A margin for four of five cases would be too wide: at 95.5 % of 288 clips, a truly doubled error rate (13 clips more) would
 * lie inside it and count as equal.
 */
export function marginOf({ correct, clips }: Pick<Published, 'correct' | 'clips'>): number {
  const equal = { successes: correct, trials: clips };
  const { low, high } = independentDifference(equal, equal, Z_90);
  const median = Z_HALF * Math.sqrt((2 * correct * (clips - correct)) / clips);
  return Math.ceil(clips * Math.max(-low, high) + median);
}

interface Comparison {
  readonly verdict: Answer;
  readonly difference: number;
  /** The 95 % interval. */
  readonly low: number;
  readonly high: number;
  /** Clips. */
  readonly margin: number;
}

/**
 * Compares an accuracy with a published one: reproduced if they are equal up to the margin (two one-sided tests at 5 %, that is, the
 * 90 % interval of the difference lies within it), even if such a small difference is significant; otherwise not reproduced if they differ
 * significantly (the 95 % interval excludes 0), and else inconclusive. The published answers clip by clip are unknown, so both count as
 * independent. They are not quite, so the intervals are rather too wide than too narrow.
 */
export function compareAccuracy(
  ours: { readonly correct: number; readonly clips: number },
  published: Pick<Published, 'correct' | 'clips'>,
): Comparison {
  const first = { successes: ours.correct, trials: ours.clips };
  const second = { successes: published.correct, trials: published.clips };
  const margin = marginOf(published);
  const narrow = independentDifference(first, second, Z_90);
  const { difference, low, high } = independentDifference(first, second, Z_95);
  const share = margin / published.clips;
  const isEqual = narrow.low > -share && narrow.high < share;
  const verdict = isEqual ? 'reproduced' : low > 0 || high < 0 ? 'not-reproduced' : 'inconclusive';
  return { verdict, difference, low, high, margin };
}

/** @param rivals other published accuracies on the same clips: which of them the same result would reproduce, equal ones of other models among them */
export function judgeAccuracy(
  { published }: Claim,
  measure: MeasureOf<'accuracy'>,
  outcome: Outcome,
  rivals: readonly Claim[],
): Finding {
  if (published === null) throw new RangeError('a published accuracy is needed to compare with');
  const accuracy = outcome[measure.epoch][measure.split];
  if (accuracy === null) return notApplicable('No clips were held out for validation.');
  const ours = { correct: accuracy.mean * accuracy.clips, clips: accuracy.clips };
  const { verdict, difference, low, high, margin } = compareAccuracy(ours, published);
  const found = `The difference from ${groupDigits(published.correct)} of ${groupDigits(published.clips)} is ${formatPoints(difference)}, 95 % interval ${formatPointsRange(low, high)}`;
  const room = `${margin} of ${formatQuantity(published.clips, 'clip')}`;
  const others = describeRivals(ours, { model: measure.model, correct: published.correct }, rivals);
  const measured = describeAccuracy(accuracy);
  const reasons = {
    reproduced: `it is certainly smaller than the margin, ${room} (two one-sided tests at 5 %).`,
    'not-reproduced': `the margin is ${room}.`,
    inconclusive: `the margin is ${room}. ${describePower(ours, published)}`,
  };
  return { verdict, measured, reason: `${found}; ${reasons[verdict]} ${others}` };
}

function describePower(
  ours: { readonly correct: number; readonly clips: number },
  published: Published,
): string {
  const share = (ours.correct + published.correct) / (ours.clips + published.clips);
  const error = Math.sqrt(share * (1 - share) * (1 / ours.clips + 1 / published.clips));
  const detectable = formatPoints((Z_95 + Z_POWER) * error, false);
  return `With ${groupDigits(ours.clips)} and ${formatQuantity(published.clips, 'clip')}, only a difference of at least ${detectable} would be found in four of five cases.`;
}

/** `The same result would also reproduce 274 (No Reg.) and 276 (λ = .01).` */
function describeRivals(
  ours: { readonly correct: number; readonly clips: number },
  own: { readonly model: string; readonly correct: number },
  rivals: readonly Claim[],
): string {
  const names = new Map<number, string[]>();
  for (const { published, measure, evidence } of rivals) {
    if (published === null || measure.kind !== 'accuracy') continue;
    if (published.correct === own.correct && measure.model === own.model) continue;
    if (compareAccuracy(ours, published).verdict !== 'reproduced') continue;
    const name = `${measure.model}, ${evidence.source.title}`;
    names.set(published.correct, [...(names.get(published.correct) ?? []), name]);
  }
  if (names.size === 0) return 'The same result would reproduce no other published value.';
  const values = [...names].sort(([a], [b]) => a - b);
  return `The same result would equally reproduce ${values.map(([correct, who]) => `${groupDigits(correct)} (${who.join('; ')})`).join(', ')}.`;
}

function describeAccuracy({ mean, clips, count, interval, min, max }: Accuracy): string {
  const range = `95 % interval ${formatPercentRange(interval.low, interval.high)}`;
  if (count === 1)
    return `${formatShare(mean)} (${groupDigits(Math.round(mean * clips))} of ${groupDigits(clips)}), ${range}`;
  return `${formatShare(mean)} of ${groupDigits(clips)}, mean of ${count} seeds (${formatPercentRange(min, max)}), ${range}`;
}

/** The published accuracy with its interval, for use beside one that it is not compared with. */
export function describePublishedAccuracy({ correct, clips }: Published): string {
  const { low, high } = wilsonInterval(correct, clips);
  return `${formatShare(correct / clips)} (${groupDigits(correct)} of ${groupDigits(clips)}), 95 % interval ${formatPercentRange(low, high)}`;
}
