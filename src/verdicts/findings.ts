import {
  type AnswerCells,
  type Certainty,
  type Contrast,
  clusterByGroup,
  countItems,
  decideEqual,
  decideMore,
  type Fixed,
} from './contrasts.ts';
import type { PublishedComparison } from './published-values.ts';
import { areOfOne } from './stats/crossed.ts';
import { NORMAL_QUANTILES } from './stats/distributions.ts';
import { stateP } from './stats/p-values.ts';
import type { Answer, Verdict } from './verdicts.ts';
import { formatPoints, formatPointsRange, formatShare } from './words.ts';

/** A verdict and why. */
export interface Finding {
  readonly verdict: Verdict;
  /** The measured value, for people; empty if nothing could be measured. */
  readonly measured: string;
  /** Whole sentences. */
  readonly reason: string;
}

export function notApplicable(reason: string): Finding {
  return { verdict: 'not-applicable', measured: '', reason };
}

const ONE_TRAINING =
  'There is one training, which does not say how far others may be from it: more seeds are needed. If the claim is about these very trainings, write `trainings: fixed`.';

/** Why nothing says how far a mean may be off: a sentence. @param one what a group of the cells is */
export function explainUnknown(
  what: string,
  cells: AnswerCells,
  fixed: Fixed | undefined,
  one: 'group' | 'item' | 'user' | 'clip',
): string {
  if (fixed !== 'seeds' && cells.rows.length === 1) return ONE_TRAINING;
  if (fixed !== 'groups' && cells.groups === 1)
    return `There is one ${one}, which does not say how far others may be from it.`;
  const ofGroups = clusterByGroup(cells).map(({ count }) => count);
  const most = areOfOne(ofGroups) ? one : areOfOne(countItems(cells)) ? 'seed' : null;
  if (most !== null && !(most === 'seed' ? fixed === 'seeds' : fixed === 'groups'))
    return `Most items are of one ${most}, which does not say how far others may be from it.`;
  const everywhere = fixed === 'seeds' ? one : fixed === 'groups' ? 'seed' : `seed and ${one}`;
  return `The ${what} is the same for every ${everywhere}, up to rounding, which does not say how far others may be.`;
}

/** How results of one kind are written. */
export interface Unit {
  /** `95.5 %` */
  value(value: number): string;
  /** `+1.4 points` */
  difference(difference: number): string;
  /** `1.4 points` */
  size(difference: number): string;
  /** `−5.0 to +0.5 points` */
  range(low: number, high: number): string;
}

export const ACCURACY_UNIT: Unit = {
  value: formatShare,
  difference: (difference) => formatPoints(difference),
  size: (difference) => formatPoints(difference, false),
  range: formatPointsRange,
};

/**
 * Why a comparison with a published value has its verdict: `the difference from 275 of 288 is −3.1 points, …`, a sentence without its capital.
 *
 * @param published as it is written
 * @param room the margin, as it is written
 */
export function explainComparison(
  { verdict, difference, low, high }: PublishedComparison,
  { published, room, unit }: { readonly published: string; readonly room: string; readonly unit: Unit },
): string {
  // Half of the interval, from 97.5 % to a power of 80 %.
  const detectable = ((high - low) / 2) * (1 + NORMAL_QUANTILES['80'] / NORMAL_QUANTILES['97.5']);
  const reasons: Readonly<Record<Answer, string>> = {
    reproduced: `it is certainly smaller than the margin, ${room} (two one-sided tests at 5 %).`,
    'not-reproduced': `it is significant, and not certainly smaller than the margin, ${room}.`,
    inconclusive: `it is neither significant nor certainly smaller than the margin, ${room}. A true difference of about ${unit.size(detectable)} would be found in four of five cases.`,
  };
  return `the difference from ${published} is ${unit.difference(difference)}, 95 % interval ${unit.range(low, high)}; ${reasons[verdict]}`;
}

/** What is claimed of differences: that none is larger than the margin, that each is at least the margin, or that none is a loss of the margin. */
export type ContrastClaim = 'equal' | 'more' | 'no-worse';

/** A difference by its name, `No Reg. − Baseline`. */
export interface NamedContrast {
  readonly name: string;
  readonly contrast: Contrast;
}

interface ContrastContext {
  /** The smallest difference that matters, in the unit of the differences; 0 if any does. */
  readonly margin: number;
  readonly unit: Unit;
  /** What they were measured over: `5 seeds and 6 users`. */
  readonly design: string;
  /** What to say if nothing says how far the difference may be off; a sentence. */
  readonly unknown: string;
}

/** Judges what is claimed of one or several differences together: {@link decideEqual}, {@link decideMore}. */
export function judgeContrasts(
  claim: ContrastClaim,
  named: readonly NamedContrast[],
  context: ContrastContext,
): Finding {
  const contrasts = named.map(({ contrast }) => contrast);
  const { margin, unit } = context;
  const verdict =
    claim === 'equal'
      ? decideEqual(contrasts, margin)
      : decideMore(contrasts, claim === 'more' ? margin : -margin);
  const measured = named.map((one) => describeContrast(one, unit)).join('; ');
  return { verdict, measured, reason: explain(claim, verdict, named, context) };
}

/** `No Reg. − Baseline +1.4 points (95 % interval −0.1 to +2.9 points, p = 0.06)`. */
export function describeContrast(
  { name, contrast: { difference, certainty } }: NamedContrast,
  unit: Unit,
): string {
  const found = `${name} ${unit.difference(difference)}`;
  if (certainty === null) return `${found} (no interval)`;
  const { interval, p } = certainty;
  return `${found} (95 % interval ${unit.range(interval.low, interval.high)}, ${stateP(p)})`;
}

function explain(
  claim: ContrastClaim,
  verdict: Answer,
  named: readonly NamedContrast[],
  { margin, unit, design, unknown }: ContrastContext,
): string {
  const certain = named.flatMap(({ contrast }) => contrast.certainty ?? []);
  if (verdict === 'inconclusive' && certain.length < named.length) return unknown;
  const isOne = named.length === 1;
  const room = claim === 'more' && margin === 0 ? '0' : unit.size(margin);
  const [inside, outside, bar] = {
    equal: ['smaller than', 'larger than', `the margin, ${room}`] as const,
    more: ['above', 'below', room] as const,
    'no-worse': ['above', 'below', `−${room}`] as const,
  }[claim];
  const [only] = certain;
  const level =
    isOne && only !== undefined
      ? `one-sided tests at 5 %: 90 % interval ${unit.range(only.narrow.low, only.narrow.high)}`
      : 'one-sided tests at 5 %';
  const divided = isOne ? level : 'one-sided tests at 5 %, divided by their number';
  const said: Readonly<Record<Answer, string>> = {
    reproduced: `${isOne ? 'the' : 'every'} difference is certainly ${inside} ${bar} (${level})`,
    'not-reproduced': `${isOne ? 'the' : 'at least one'} difference is certainly ${outside} ${bar} (${divided})`,
    inconclusive: isOne
      ? `the difference is neither certainly ${inside} nor certainly ${outside} ${bar} (${level})`
      : `not every difference is certainly ${inside} ${bar} (${level}), and none is certainly ${outside} it (${divided})`,
  };
  if (verdict !== 'inconclusive') return `Over ${design}, ${said[verdict]}.`;
  const near = isOne && only !== undefined && excludes(claim, margin, only) ? NEARLY_ALL_RIGHT : '';
  return `Over ${design}, ${said[verdict]}.${near}${describePower(claim, certain, unit)}`;
}

const NEARLY_ALL_RIGHT =
  ' The interval excludes it; but at that difference more answers would be wrong, and scatter more, so this is not certain.';

/** Whether the 90 % interval excludes the limit of a claim. */
function excludes(claim: ContrastClaim, margin: number, { narrow: { low, high } }: Certainty): boolean {
  if (claim === 'more') return high < margin;
  return low > -margin && (claim === 'no-worse' || high < margin);
}

/** What the least certain of the differences could have shown. */
function describePower(claim: ContrastClaim, certain: readonly Certainty[], unit: Unit): string {
  const [widest] = certain.toSorted((a, b) => b.error - a.error);
  if (widest === undefined) return '';
  const { detectable, equivalenceChance } = widest;
  const size = detectable === null ? 'No true difference' : `A true difference of ${unit.size(detectable)}`;
  const found = ` ${size} would be significantly different from 0 in four of five cases`;
  return claim === 'equal' && certain.length === 1
    ? `${found}; if there is none, such results give “reproduced” in ${formatShare(equivalenceChance)} of cases.`
    : `${found}.`;
}
