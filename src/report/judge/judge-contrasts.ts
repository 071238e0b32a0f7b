import {
  type Contrast,
  decideEqual,
  decideMore,
  decideNoWorse,
  type Fixed,
} from '../../results/stats/contrasts.ts';
import { stateP } from '../../results/stats/p-values.ts';
import type { Answer, Verdict } from '../../results/verdicts.ts';
import { formatPoints, formatPointsRange, formatShare } from '../data/format.ts';

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

/** What is claimed of differences: that there is none, that each is positive, or that none is a loss. */
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
  readonly fixed: Fixed | undefined;
}

/** Judges what is claimed of one or several differences together: {@link decideEqual}, {@link decideMore}, {@link decideNoWorse}. */
export function judgeContrasts(
  claim: ContrastClaim,
  named: readonly NamedContrast[],
  context: ContrastContext,
): Finding {
  const decide = { equal: decideEqual, more: decideMore, 'no-worse': decideNoWorse }[claim];
  const verdict = decide(
    named.map(({ contrast }) => contrast),
    context.margin,
  );
  const measured = named.map((one) => describeContrast(one, context.unit, named.length)).join('; ');
  return { verdict, measured, reason: explain(claim, verdict, named, context) };
}

function describeContrast({ name, contrast }: NamedContrast, unit: Unit, count: number): string {
  const { difference, certainty } = contrast;
  const found = `${name} ${unit.difference(difference)}`;
  if (certainty === null) return `${found} (no interval)`;
  const { interval, adjusted } = certainty;
  const corrected = count > 1 ? 'corrected ' : '';
  return `${found} (95 % interval ${unit.range(interval.low, interval.high)}, ${corrected}${stateP(adjusted)})`;
}

function explain(
  claim: ContrastClaim,
  verdict: Answer,
  named: readonly NamedContrast[],
  { margin, unit, design, fixed }: ContrastContext,
): string {
  const unknown = named.find(({ contrast }) => contrast.certainty === null);
  if (verdict === 'inconclusive' && unknown !== undefined)
    return fixed === undefined && unknown.contrast.seeds.length === 1 ? ONE_TRAINING : ALL_EQUAL;
  const isOne = named.length === 1;
  const [all, some] = isOne
    ? ['the difference is', 'the difference is']
    : ['every difference is', 'one difference is'];
  const neither = isOne ? 'the difference is' : 'some differences are';
  const room = unit.size(margin);
  const bar = margin > 0 ? `the margin, ${room}` : '0';
  const reasons: Readonly<Record<ContrastClaim, Readonly<Record<Answer, string>>>> = {
    equal: {
      reproduced: `${all} certainly smaller than ${bar} (two one-sided tests at 5 %).`,
      'not-reproduced': `${some} significant, and may be larger than ${bar}.`,
      inconclusive: `${neither} neither significant nor certainly smaller than ${bar}.`,
    },
    more: {
      reproduced: `${all} significantly above 0${margin > 0 ? `, and not certainly below ${bar}` : ''}.`,
      'not-reproduced': `${some} certainly below ${bar} (one-sided test at 5 %).`,
      inconclusive: `${neither} neither significantly above 0 nor certainly below ${bar}.`,
    },
    'no-worse': {
      reproduced: `${all} certainly above −${room} (one-sided test at 5 %).`,
      'not-reproduced': `${some} significantly below 0, and may be below −${room}.`,
      inconclusive: `${neither} neither certainly above −${room} nor significantly below 0.`,
    },
  };
  const power = verdict === 'inconclusive' ? describePower(claim, named, unit) : '';
  return `Over ${design}, ${reasons[claim][verdict]}${power}`;
}

export const ALL_EQUAL = 'All differ by the same amount, which does not say how far others may.';

export const ONE_TRAINING =
  'There is one training, which does not say how far others may be from it: more seeds are needed. If the claim is about these very trainings, write `trainings: fixed`.';

/** What the least certain of the differences could have shown. */
function describePower(claim: ContrastClaim, named: readonly NamedContrast[], unit: Unit): string {
  const known = named.flatMap(({ contrast }) => contrast.certainty ?? []);
  const [widest] = known.toSorted((a, b) => b.error - a.error);
  if (widest === undefined) return '';
  const { detectable, equivalenceChance } = widest;
  const found =
    detectable === null
      ? ' No difference would be found in four of five cases'
      : ` A true difference of ${unit.size(detectable)} would be found in four of five cases`;
  return claim === 'equal'
    ? `${found}; if there is none, this is shown in ${formatShare(equivalenceChance)} of cases.`
    : `${found}.`;
}
