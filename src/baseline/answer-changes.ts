import { mcnemarOneSided } from '../stats/mcnemar.ts';
import { holmAdjust, signFlipTest } from '../stats/p-values.ts';

/** The rows of the test clips that two runs of one model and seed answered wrong. */
export interface WrongClips {
  readonly before: readonly number[];
  readonly now: readonly number[];
}

/** What changed in the answers of one run. */
export interface AnswerChange {
  readonly lost: number;
  readonly gained: number;
  /** One-sided, corrected for the number of runs (Holm). */
  readonly pLoss: number;
  readonly pGain: number;
}

/** What changed in the answers of several runs. */
export interface AnswerChanges {
  readonly runs: readonly AnswerChange[];
  /** Of all together; null for a single run. */
  readonly joint: AnswerChange | null;
  /** p up to which each of the two tests, or the only one, counts. */
  readonly level: number;
}

/**
 * Whether test clips were lost, or gained, in single runs (McNemar's exact test, Holm's correction) or in all together (exact sign-flip test
 * of the sums over the runs, clip by clip).
 *
 * @param rate how often either of the tests may find a loss where there is none; halved between them
 */
export function compareAnswers(pairs: readonly WrongClips[], rate: number): AnswerChanges {
  const counts = pairs.map(countChanges);
  const losses = holmAdjust(counts.map(({ lost, gained }) => mcnemarOneSided(lost, gained)));
  const gains = holmAdjust(counts.map(({ lost, gained }) => mcnemarOneSided(gained, lost)));
  const runs = counts.map((count, at) => ({ ...count, pLoss: losses[at]!, pGain: gains[at]! }));
  if (pairs.length < 2) return { runs, joint: null, level: rate };
  const sums = [...sumByClip(pairs).values()];
  const joint = {
    lost: counts.reduce((sum, { lost }) => sum + lost, 0),
    gained: counts.reduce((sum, { gained }) => sum + gained, 0),
    pLoss: signFlipTest(sums),
    pGain: signFlipTest(sums.map((sum) => -sum)),
  };
  return { runs, joint, level: rate / 2 };
}

/** Clips that only the baseline got right, and only this run. */
function countChanges({ before, now }: WrongClips): { lost: number; gained: number } {
  const [wrongBefore, wrongNow] = [new Set(before), new Set(now)];
  return {
    lost: now.filter((clip) => !wrongBefore.has(clip)).length,
    gained: before.filter((clip) => !wrongNow.has(clip)).length,
  };
}

/** For each clip that was ever wrong: in how many runs it was lost, less in how many it was gained. */
function sumByClip(pairs: readonly WrongClips[]): Map<number, number> {
  const sums = new Map<number, number>();
  const add = (clip: number, change: number) => sums.set(clip, (sums.get(clip) ?? 0) + change);
  for (const { before, now } of pairs) {
    for (const clip of now) add(clip, 1);
    for (const clip of before) add(clip, -1);
  }
  return sums;
}
