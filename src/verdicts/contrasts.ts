import {
  add,
  type Cells,
  crossedMean,
  equivalencePower,
  type Spread,
  smallestDetectable,
  spreadInterval,
  spreadTest,
} from './stats/crossed.ts';
import { studentQuantile } from './stats/distributions.ts';
import { clusterMean } from './stats/means.ts';
import { holmAdjust } from './stats/p-values.ts';
import type { Interval } from './stats/proportions.ts';
import type { Answer, DifferenceVerdict } from './verdicts.ts';
import { formatQuantity, spellQuantity } from './words.ts';

/** The level of all tests for a difference together, and of each one-sided test for equality. */
export const DIFFERENCE_LEVEL = 0.05;

/** Answers, or differences of answers to the same items, by seed and group. */
export interface AnswerCells extends Cells {
  /** How many different items these are. */
  readonly items: number;
  /** A power of two near the largest value: sums are computed in units of it. */
  readonly scale: number;
  /** Of answers that are right or wrong: the share of the rarer kind, added up over the arms; null for scores. */
  readonly rare: number | null;
}

/** A mean difference of two arms, and what else it could have been with other seeds and groups. */
export interface Contrast {
  /** Of the mean over all items, in the unit of the sums. */
  readonly difference: number;
  /** That of each seed, in their order. */
  readonly seeds: readonly number[];
  /** Null with a single seed or group, and if all of them differ by the same: nothing says then how far others may be. */
  readonly certainty: Certainty | null;
}

export interface Certainty extends Spread {
  readonly rare: AnswerCells['rare'];
  /** Whether items are of groups. */
  readonly isGrouped: boolean;
  /** The 95 % interval, not corrected for the number of contrasts. */
  readonly interval: Interval;
  /** The 90 % interval: each of its ends is a one-sided limit at 5 %. */
  readonly narrow: Interval;
  /** Two-sided, as it is and Holm-corrected for the number of contrasts. */
  readonly p: number;
  readonly adjusted: number;
  /** The smallest true difference that this design finds in four of five cases, at the level divided by the number of contrasts; null if none. */
  readonly detectable: number | null;
  /** How often this design shows that a difference is within the margin if there is none; 0 without a margin. */
  readonly equivalenceChance: number;
}

/** What is taken as given: the seeds, in claims about these very trainings, or the groups, where each seed has but one value. */
export type Fixed = 'seeds' | 'groups';

interface ContrastOptions {
  /** The smallest difference that matters, positive; 0 if any does. */
  readonly margin: number;
  /** No difference can be larger: 1 for accuracies. */
  readonly largest?: number;
  readonly fixed?: Fixed | undefined;
  /** The error of a difference is not less than this, by default 0. */
  readonly leastError?: number;
}

/**
 * Measures differences of arms, each from its own baseline, for other seeds and other groups: {@link crossedMean}. The tests for a difference
 * share their level (Holm).
 *
 * @param differences for each contrast: sums of the arm minus those of its baseline
 */
export function measureContrasts(
  differences: readonly AnswerCells[],
  { margin, largest = Number.POSITIVE_INFINITY, fixed, leastError = 0 }: ContrastOptions,
): Contrast[] {
  const measured = differences.map((cells) => {
    const { mean, seeds, spread } = measureMean(cells, fixed);
    const degrees = cells.groups - 1;
    const isTooSmall = degrees > 0 && leastError > (spread?.error ?? 0);
    return { mean, seeds, spread: isTooSmall ? { error: leastError, degrees } : spread };
  });
  const pValues = measured.map(({ mean, spread }) => (spread ? spreadTest(mean, spread) : 1));
  const adjusted = holmAdjust(pValues);
  return measured.map(({ mean, seeds, spread }, index): Contrast => {
    const { rare, items, groups } = differences[index]!;
    if (spread === null) return { difference: mean, seeds, certainty: null };
    const detectable = smallestDetectable(spread, { alpha: DIFFERENCE_LEVEL / differences.length });
    const certainty = {
      ...{ error: spread.error, degrees: spread.degrees, rare, isGrouped: groups < items },
      interval: spreadInterval(mean, spread, 1 - DIFFERENCE_LEVEL),
      narrow: spreadInterval(mean, spread, 1 - 2 * DIFFERENCE_LEVEL),
      p: pValues[index]!,
      adjusted: adjusted[index]!,
      detectable: detectable > largest ? null : detectable,
      equivalenceChance: equivalencePower(spread, margin, DIFFERENCE_LEVEL),
    };
    return { difference: mean, seeds, certainty };
  });
}

/** A mean over all items, and over those of each seed. */
interface MeasuredMean {
  readonly mean: number;
  readonly seeds: readonly number[];
  readonly spread: Spread | null;
  /** The error that the seeds alone give, with the rest; null if they are fixed, or nothing says it. */
  readonly ofSeeds: Spread | null;
}

/** In units of the scale, so that squares are neither too large nor too small for a number. */
export function measureMean({ groups, rows, scale }: AnswerCells, fixed?: Fixed): MeasuredMean {
  const scaled = rows.map((row) => ({ ...row, sums: row.sums.map((sum) => sum / scale) }));
  const { mean, seeds, spread, ofSeeds } = measureScaled({ groups, rows: scaled }, fixed);
  const rescale = (one: Spread | null) =>
    one && one.error * scale > 0 ? { ...one, error: one.error * scale } : null;
  const bySeed = seeds.map((one) => one * scale);
  return { mean: mean * scale, seeds: bySeed, spread: rescale(spread), ofSeeds: rescale(ofSeeds) };
}

function measureScaled(cells: Cells, fixed: Fixed | undefined): MeasuredMean {
  const seeds = cells.rows.map(({ sums, counts }) => add(sums) / add(counts));
  if (fixed === 'seeds') return { ...clusterMean(clusterByGroup(cells)), seeds, ofSeeds: null };
  if (fixed === 'groups') {
    const { mean, spread } = clusterMean(seeds.map((sum) => ({ count: 1, sum })));
    return { mean, spread, seeds, ofSeeds: spread };
  }
  const { mean, spread } = crossedMean(cells);
  return { mean, spread, seeds, ofSeeds: spread?.ofSeeds ?? null };
}

/** How many items each group has in all seeds, and their sum. */
export function clusterByGroup({ groups, rows }: Cells) {
  const clusters = Array.from({ length: groups }, () => ({ count: 0, sum: 0 }));
  for (const { at, sums, counts } of rows)
    for (const [i, group] of at.entries()) {
      clusters[group]!.count += counts[i]!;
      clusters[group]!.sum += sums[i]!;
    }
  return clusters;
}

/** Of each seed. */
export function countItems({ rows }: AnswerCells): number[] {
  return rows.map(({ counts }) => add(counts));
}

/** A contrast of which it is known how far it may be off. */
interface Measured {
  readonly difference: number;
  readonly certainty: Pick<Certainty, 'error' | 'degrees' | 'rare' | 'isGrouped'>;
}

/**
 * Student's one-sided limit towards a value that a difference is tested against. Nearly all answers may be right: were the difference as large as
 * that value, more would be wrong, and their number would vary more: by the same factor between people, whose effects are on the odds, and by its root
 * between items that stand for themselves. (So with nearly all wrong.)
 */
function reachTowards(value: number, { difference, certainty }: Measured, level: number): number {
  const { error, degrees, rare, isGrouped } = certainty;
  const more = Math.max(0, Math.abs(value) - Math.abs(difference));
  const factor = rare === null ? 1 : (1 + more / rare) ** (isGrouped ? 1 : 0.5);
  return studentQuantile(1 - level, degrees) * error * factor;
}

const isAbove = (value: number, one: Measured, level: number): boolean =>
  one.difference - reachTowards(value, one, level) > value;
const isBelow = (value: number, one: Measured, level: number): boolean =>
  one.difference + reachTowards(value, one, level) < value;

/** Two one-sided tests at 5 %. */
export function isWithin(margin: number, one: Measured): boolean {
  return isAbove(-margin, one, DIFFERENCE_LEVEL) && isBelow(margin, one, DIFFERENCE_LEVEL);
}

/** What a run says of an arm compared with its baseline. */
export function compareWithMargin({ certainty, ...contrast }: Contrast, margin: number): DifferenceVerdict {
  if (certainty === null) return 'undecided';
  const [isDifferent, isSmall] = [
    certainty.adjusted <= DIFFERENCE_LEVEL,
    isWithin(margin, { certainty, ...contrast }),
  ];
  if (isDifferent) return isSmall ? 'slight' : 'different';
  return isSmall ? 'equivalent' : 'undecided';
}

/**
 * Whether all differences are within ±margin: reproduced if each certainly is, not reproduced if one certainly is not, else inconclusive.
 *
 * Certainly means one-sided tests at 5 %. That all hold needs no correction for their number (intersection-union test); that one fails does.
 */
export function decideEqual(contrasts: readonly Contrast[], margin: number): Answer {
  return decide(
    contrasts,
    (one) => isWithin(margin, one),
    (one, level) => isAbove(margin, one, level) || isBelow(-margin, one, level),
  );
}

/** Whether all differences are at least `least`, in the same way. */
export function decideMore(contrasts: readonly Contrast[], least: number): Answer {
  return decide(
    contrasts,
    (one) => isAbove(least, one, DIFFERENCE_LEVEL),
    (one, level) => isBelow(least, one, level),
  );
}

function decide(
  contrasts: readonly Contrast[],
  holds: (one: Measured) => boolean,
  fails: (one: Measured, level: number) => boolean,
): Answer {
  const measured = contrasts.flatMap(({ difference, certainty }) =>
    certainty === null ? [] : { difference, certainty },
  );
  if (measured.length === contrasts.length && measured.every(holds)) return 'reproduced';
  const level = DIFFERENCE_LEVEL / contrasts.length;
  return measured.some((one) => fails(one, level)) ? 'not-reproduced' : 'inconclusive';
}

/** What differences were measured over: `five seeds and six users`. With one seed, it is fixed. */
export function nameDesign({ rows, groups }: AnswerCells, hasGroups: boolean): string {
  const people = hasGroups ? spellQuantity(groups, 'user') : formatQuantity(groups, 'clip');
  return rows.length === 1
    ? `${people}, for these trainings`
    : `${spellQuantity(rows.length, 'seed')} and ${people}`;
}
