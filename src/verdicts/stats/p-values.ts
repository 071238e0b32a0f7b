import { binomialUpperTail } from './distributions.ts';

/**
 * Holm's correction for several tests: adjusted p values, to be compared with the level for all of them together.
 *
 * @param pValues each 0 to 1
 * @returns in the same order
 * @see Holm 1979, Scand. J. Stat. 6, 65-70
 */
export function holmAdjust(pValues: readonly number[]): number[] {
  const order = pValues.map((_, i) => i).sort((a, b) => pValues[a]! - pValues[b]!);
  const adjusted = new Array<number>(pValues.length);
  let largest = 0;
  for (const [rank, i] of order.entries()) {
    largest = Math.max(largest, Math.min(1, (pValues.length - rank) * pValues[i]!));
    adjusted[i] = largest;
  }
  return adjusted;
}

/**
 * The exact sign-flip test: the probability that the sum of the differences is at least as large as it is, if each of them had the other sign
 * with probability one half, independently of the others. For several classifiers on the same clips, each difference is a clip's sum over the
 * classifiers, which may therefore depend on one another in any way. All 2ⁿ sums are counted, by convolution.
 *
 * @param differences whole numbers, one for each clip
 * @returns one-sided p, above 0 and at most 1; 1 if all are zero
 * @see Fisher 1935, The Design of Experiments, sec. 21; Pitman 1937, J. R. Stat. Soc. Suppl. 4, 119-130
 */
export function signFlipTest(differences: readonly number[]): number {
  const observed = differences.reduce((sum, difference) => sum + difference, 0);
  // P(sum = at − reach) after the differences so far.
  let reach = 0;
  let chances = Float64Array.of(1);
  for (const difference of differences) {
    const size = Math.abs(difference);
    if (size === 0) continue;
    const next = new Float64Array(chances.length + 2 * size);
    for (const [at, chance] of chances.entries()) {
      next[at]! += chance / 2;
      next[at + 2 * size]! += chance / 2;
    }
    reach += size;
    chances = next;
  }
  let tail = 0;
  for (const chance of chances.subarray(observed + reach)) tail += chance;
  return Math.min(1, tail);
}

/** A p value in a table, `0.021` or `< 0.001`. */
export function formatP(p: number): string {
  return p < 0.001 ? '<\u00a00.001' : p.toFixed(3);
}

/** A p value in a sentence, `p = 0.021` or `p < 0.001`. */
export function stateP(p: number): string {
  return p < 0.001 ? `p ${formatP(p)}` : `p = ${formatP(p)}`;
}

/**
 * McNemar's exact test against a loss: the probability of losing at least so many of the differing clips if each were a coin toss.
 *
 * @param lost clips that only the first classifier gets right
 * @param gained clips that only the second gets right
 * @returns p, 0 to 1; 1 if they differ on no clip
 */
export function mcnemarOneSided(lost: number, gained: number): number {
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
