import type { Answer } from './verdicts.ts';
import {
  add,
  addRows,
  type CellTable,
  crossedMean,
  equivalencePower,
  type Spread,
  smallestDetectable,
  spreadInterval,
  spreadTest,
} from './stats/crossed.ts';
import { clusterMean } from './stats/means.ts';
import { holmAdjust } from './stats/p-values.ts';
import type { Interval } from './stats/proportions.ts';

/** The level of all tests for a difference together, and of each one-sided test for equality. */
export const DIFFERENCE_LEVEL = 0.05;

/** What is averaged, by seed and by group: a person, a site, or an item that stands for itself. */
export interface Cells {
  /** [seeds, groups] */
  readonly sums: CellTable;
  /** How many items each cell has, [seeds, groups]; 0 where a seed does not meet a group. */
  readonly counts: CellTable;
  /** About the largest value, a power of two; 1 by default. What differs by less than the last digits of such values is rounding. */
  readonly scale?: number;
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
  differences: readonly Cells[],
  { margin, largest = Number.POSITIVE_INFINITY, fixed, leastError = 0 }: ContrastOptions,
): Contrast[] {
  const measured = differences.map((cells) => {
    const { mean, seeds, spread } = measureMean(cells, fixed);
    const degrees = (cells.counts[0]?.length ?? 0) - 1;
    const isTooSmall = degrees > 0 && leastError > (spread?.error ?? 0);
    return { mean, seeds, spread: isTooSmall ? { error: leastError, degrees } : spread };
  });
  const pValues = measured.map(({ mean, spread }) => (spread ? spreadTest(mean, spread) : 1));
  const adjusted = holmAdjust(pValues);
  return measured.map(({ mean, seeds, spread }, index): Contrast => {
    if (spread === null) return { difference: mean, seeds, certainty: null };
    const detectable = smallestDetectable(spread, { alpha: DIFFERENCE_LEVEL / differences.length });
    const certainty = {
      ...spread,
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
export function measureMean({ sums, counts, scale = 1 }: Cells, fixed?: Fixed): MeasuredMean {
  const scaled = sums.map((row) => row.map((sum) => sum / scale));
  const { mean, seeds, spread, ofSeeds } = measureScaled({ sums: scaled, counts }, fixed);
  const rescale = (one: Spread | null) =>
    one && one.error * scale > 0 ? { degrees: one.degrees, error: one.error * scale } : null;
  const bySeed = seeds.map((one) => one * scale);
  return { mean: mean * scale, seeds: bySeed, spread: rescale(spread), ofSeeds: rescale(ofSeeds) };
}

function measureScaled({ sums, counts }: Cells, fixed: Fixed | undefined): MeasuredMean {
  const seeds = sums.map((row, seed) => add(row) / add(counts[seed] ?? []));
  if (fixed === 'seeds') {
    const met = addRows(counts);
    const clusters = addRows(sums).map((sum, group) => ({ count: met[group]!, sum }));
    return { ...clusterMean(clusters.filter(({ count }) => count > 0)), seeds, ofSeeds: null };
  }
  if (fixed === 'groups') {
    const { mean, spread } = clusterMean(seeds.map((sum) => ({ count: 1, sum })));
    return { mean, spread, seeds, ofSeeds: spread };
  }
  const { mean, spread } = crossedMean(sums, counts);
  return { mean, spread, seeds, ofSeeds: spread && { error: spread.ofSeeds, degrees: seeds.length - 1 } };
}

/** Two one-sided tests at 5 %. */
export function isWithinMargin({ narrow }: Certainty, margin: number): boolean {
  return narrow.low > -margin && narrow.high < margin;
}

/**
 * Whether all differences are within ±margin: reproduced if each certainly is, not reproduced if one certainly is not, else inconclusive.
 *
 * Certainly means one-sided tests at 5 %. That all hold needs no correction for their number (intersection-union test); that one fails does.
 */
export function decideEqual(contrasts: readonly Contrast[], margin: number): Answer {
  return decide(
    contrasts,
    ({ low, high }) => low > -margin && high < margin,
    ({ low, high }) => low > margin || high < -margin,
  );
}

/** Whether all differences are at least `least`, in the same way. */
export function decideMore(contrasts: readonly Contrast[], least: number): Answer {
  return decide(
    contrasts,
    ({ low }) => low > least,
    ({ high }) => high < least,
  );
}

function decide(
  contrasts: readonly Contrast[],
  holds: (limits: Interval) => boolean,
  fails: (limits: Interval) => boolean,
): Answer {
  const tail = DIFFERENCE_LEVEL / contrasts.length;
  const isFailing = ({ difference, certainty }: Contrast) =>
    certainty !== null && fails(spreadInterval(difference, certainty, 1 - 2 * tail));
  if (contrasts.every(({ certainty }) => certainty !== null && holds(certainty.narrow))) return 'reproduced';
  return contrasts.some(isFailing) ? 'not-reproduced' : 'inconclusive';
}
