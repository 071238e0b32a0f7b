import { binomialUpperTail } from './binomial.ts';

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
