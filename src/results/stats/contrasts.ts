import type { Answer } from '../verdicts.ts';
import {
  type CellTable,
  crossedMean,
  equivalencePower,
  type Spread,
  smallestDetectable,
  spreadInterval,
  spreadTest,
} from './crossed.ts';
import { clusterMean } from './means.ts';
import { holmAdjust } from './p-values.ts';
import type { Interval } from './proportions.ts';

/** The level of all tests for a difference together, and of each one-sided test for equality. */
export const DIFFERENCE_LEVEL = 0.05;

/** What is averaged, by seed and by group: a person, a site, or an item that stands for itself. */
export interface Cells {
  /** [seeds, groups] */
  readonly sums: CellTable;
  /** How many items each cell has, [seeds, groups]; 0 where a seed does not meet a group. */
  readonly counts: CellTable;
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

/**
 * What is not drawn, so that nothing is said of other ones: the seeds, where it is about these very trainings, or the groups, where there is but
 * one value for each seed.
 */
export type Fixed = 'seeds' | 'groups';

interface ContrastOptions {
  /** The smallest difference that matters, positive; 0 if any does. */
  readonly margin: number;
  /** No difference can be larger: 1 for accuracies. */
  readonly largest?: number;
  readonly fixed?: Fixed | undefined;
}

/**
 * Measures differences of arms, each from its own baseline, for other seeds and other groups: {@link crossedMean}. The tests for a difference
 * share their level (Holm).
 *
 * @param differences for each contrast: sums of the arm minus those of its baseline
 */
export function measureContrasts(differences: readonly Cells[], options: ContrastOptions): Contrast[] {
  const measured = differences.map((cells) => measureMean(cells, options.fixed));
  const adjusted = holmAdjust(measured.map(({ mean, spread }) => (spread ? spreadTest(mean, spread) : 1)));
  return measured.map(({ mean, seeds, spread }, index) => ({
    difference: mean,
    seeds,
    certainty: spread && {
      ...spread,
      interval: spreadInterval(mean, spread, 1 - DIFFERENCE_LEVEL),
      narrow: spreadInterval(mean, spread, 1 - 2 * DIFFERENCE_LEVEL),
      p: spreadTest(mean, spread),
      adjusted: adjusted[index] ?? 1,
      detectable: findDetectable(spread, differences.length, options.largest),
      equivalenceChance: equivalencePower(spread, options.margin, DIFFERENCE_LEVEL),
    },
  }));
}

/** A mean over all items, and over those of each seed. */
interface MeasuredMean {
  readonly mean: number;
  readonly seeds: readonly number[];
  readonly spread: Spread | null;
  /** The error that the seeds alone give, with the rest; null if they are fixed, or nothing says it. */
  readonly ofSeeds: Spread | null;
}

export function measureMean({ sums, counts }: Cells, fixed?: Fixed): MeasuredMean {
  const seeds = sums.map((row, seed) => total(row) / total(counts[seed] ?? []));
  if (fixed === 'seeds') {
    const clusters = (counts[0] ?? []).map((_, group) => ({
      count: total(counts.map((row) => row[group]!)),
      sum: total(sums.map((row) => row[group]!)),
    }));
    return { ...clusterMean(clusters.filter(({ count }) => count > 0)), seeds, ofSeeds: null };
  }
  if (fixed === 'groups') {
    const { mean, spread } = clusterMean(seeds.map((sum) => ({ count: 1, sum })));
    return { mean, spread, seeds, ofSeeds: spread };
  }
  const { mean, spread } = crossedMean(sums, counts);
  return { mean, spread, seeds, ofSeeds: spread && { error: spread.ofSeeds, degrees: seeds.length - 1 } };
}

function total(row: readonly number[]): number {
  return row.reduce((sum, value) => sum + value, 0);
}

function findDetectable(
  spread: Spread,
  contrasts: number,
  largest = Number.POSITIVE_INFINITY,
): number | null {
  const found = smallestDetectable(spread, { alpha: DIFFERENCE_LEVEL / contrasts });
  return found > largest ? null : found;
}

/** Two one-sided tests at 5 %. */
export function isWithinMargin({ narrow }: Certainty, margin: number): boolean {
  return narrow.low > -margin && narrow.high < margin;
}

/**
 * Whether all differences are none: reproduced if each is certainly within the margin, even if one is significant; otherwise not reproduced if
 * one that is not is significant; else inconclusive, because a large p is no evidence of equality.
 *
 * That all hold needs no correction for their number (intersection-union test); that one fails does.
 */
export function decideEqual(contrasts: readonly Contrast[], margin: number): Answer {
  return decide(
    contrasts,
    (one) => isWithinMargin(one, margin),
    (one) => one.adjusted <= DIFFERENCE_LEVEL && !isWithinMargin(one, margin),
  );
}

/**
 * Whether all differences are positive and matter: reproduced if each is significantly above 0 and none is certainly within the margin, not
 * reproduced if one is certainly below the margin.
 *
 * @param margin 0 if any positive difference matters
 */
export function decideMore(contrasts: readonly Contrast[], margin: number): Answer {
  return decide(
    contrasts,
    (one) => one.interval.low > 0 && !isWithinMargin(one, margin),
    (_, limits) => limits(DIFFERENCE_LEVEL / contrasts.length).high < margin,
  );
}

/** Whether no difference is a loss that matters: reproduced if each is certainly above −margin, not reproduced if one is significantly below 0. */
export function decideNoWorse(contrasts: readonly Contrast[], margin: number): Answer {
  return decide(
    contrasts,
    ({ narrow }) => narrow.low > -margin,
    ({ narrow }, limits) => narrow.low <= -margin && limits(DIFFERENCE_LEVEL / 2 / contrasts.length).high < 0,
  );
}

function decide(
  contrasts: readonly Contrast[],
  holds: (certainty: Certainty) => boolean,
  fails: (certainty: Certainty, limits: (tail: number) => Interval) => boolean,
): Answer {
  const isFailing = ({ difference, certainty }: Contrast) =>
    certainty !== null && fails(certainty, (tail) => spreadInterval(difference, certainty, 1 - 2 * tail));
  if (contrasts.every(({ certainty }) => certainty !== null && holds(certainty))) return 'reproduced';
  return contrasts.some(isFailing) ? 'not-reproduced' : 'inconclusive';
}
