import { binomialUpperTail } from './distributions.ts';

/** How two classifiers did on the same clips. */
export interface Discordance {
  readonly clips: number;
  /** Clips that only the first got right, and only the second. The others say nothing about which is better. */
  readonly onlyFirst: number;
  readonly onlySecond: number;
}

/** @throws {RangeError} if the lists differ in length */
export function countDiscordant(first: readonly boolean[], second: readonly boolean[]): Discordance {
  if (first.length !== second.length) {
    throw new RangeError(`the same clips are needed, not ${first.length} and ${second.length}`);
  }
  let onlyFirst = 0;
  let onlySecond = 0;
  for (let i = 0; i < first.length; i++) {
    if (first[i] && !second[i]) onlyFirst += 1;
    if (second[i] && !first[i]) onlySecond += 1;
  }
  return { clips: first.length, onlyFirst, onlySecond };
}

/**
 * McNemar's exact test: if both were equally good, each clip on which they differ would be a coin toss.
 *
 * @returns two-sided p, at most 1; 1 if they differ on no clip
 * @see McNemar 1947, Psychometrika 12, 153-157; Fagerland, Lydersen and Laake 2013, BMC Med. Res. Methodol. 13, 91
 */
export function mcnemarTest({ onlyFirst, onlySecond }: Discordance): number {
  const differing = onlyFirst + onlySecond;
  if (differing === 0) return 1;
  return Math.min(1, 2 * binomialUpperTail(Math.max(onlyFirst, onlySecond), differing, 0.5));
}

/**
 * The smallest difference of accuracies that this test would find with the given power: what "no significant difference" can exclude.
 * Found by counting: the number of clips in favour of the better one is binomial.
 *
 * @param differing on how many clips the two differ
 * @param clips of how many
 * @param power how often it would be found, default 0.8
 * @returns a share of the clips; null if even being right on all differing clips would not do
 */
export function smallestDetectableDifference(
  differing: number,
  clips: number,
  { alpha = 0.05, power = 0.8 } = {},
): number | null {
  if (!(Number.isInteger(differing) && differing >= 0 && differing <= clips && clips > 0)) {
    throw new RangeError(`smallestDetectableDifference: ${differing} of ${clips} clips`);
  }
  // The fewest clips in favour that are significant.
  let needed = Math.ceil((differing + 1) / 2);
  while (needed <= differing && 2 * binomialUpperTail(needed, differing, 0.5) > alpha) needed += 1;
  if (differing === 0 || needed > differing) return null;
  let low = 0.5;
  let high = 1;
  for (let i = 0; i < 60; i++) {
    const share = (low + high) / 2;
    if (binomialUpperTail(needed, differing, share) < power) low = share;
    else high = share;
  }
  return ((2 * high - 1) * differing) / clips;
}

/**
 * McNemar's exact test against a loss: the probability of losing at least so many of the differing clips if each were a coin toss.
 *
 * @param lost clips that only the first classifier gets right
 * @param gained clips that only the second gets right
 * @returns p, 0 to 1; 1 if they differ on no clip
 * @throws {RangeError} if a count is negative or not whole
 * @see McNemar 1947, Psychometrika 12, 153-157
 */
export function mcnemarOneSided(lost: number, gained: number): number {
  for (const count of [lost, gained]) {
    if (!(Number.isInteger(count) && count >= 0))
      throw new RangeError(`mcnemarOneSided: a number of clips cannot be ${count}`);
  }
  return lost === 0 ? 1 : binomialUpperTail(lost, lost + gained, 0.5);
}

/**
 * The fewest lost clips that this test takes for a loss.
 *
 * @param gained as many are gained
 * @param level p at which it is one, 0 to 1
 * @param available at most so many can be lost
 * @returns null if even losing all of them is none
 */
export function fewestLost(gained: number, level: number, available: number): number | null {
  for (let lost = gained + 1; lost <= available; lost++) {
    if (mcnemarOneSided(lost, gained) <= level) return lost;
  }
  return null;
}
