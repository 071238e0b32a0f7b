/**
 * Holm's correction for several tests: adjusted p values, to be compared with the level for all of them together.
 *
 * @param pValues each 0 to 1
 * @returns in the same order
 * @throws {RangeError} if one is outside 0 to 1
 * @see Holm 1979, Scand. J. Stat. 6, 65-70
 */
export function holmAdjust(pValues: readonly number[]): number[] {
  for (const p of pValues) {
    if (!(p >= 0 && p <= 1)) throw new RangeError(`holmAdjust: p must be from 0 to 1, not ${p}`);
  }
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
 * @throws {RangeError} if a difference is not a whole number
 * @see Fisher 1935, The Design of Experiments, sec. 21; Pitman 1937, J. R. Stat. Soc. Suppl. 4, 119-130
 */
export function signFlipTest(differences: readonly number[]): number {
  const wrong = differences.find((difference) => !Number.isInteger(difference));
  if (wrong !== undefined)
    throw new RangeError(`signFlipTest: differences must be whole numbers, not ${wrong}`);
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
