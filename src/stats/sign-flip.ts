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
