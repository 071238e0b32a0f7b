/**
 * Centred moving mean: each value becomes the mean of itself and up to `reach` values on each side. Towards the ends the
 * window shrinks equally on both sides, so that a steep start stays steep and the first and last values are unchanged.
 *
 * @param values null where a value is missing; such values are left out of the means
 * @param reach values on each side, a whole number >= 0
 * @returns as many values; null where the window contains none
 * @throws {RangeError} if `reach` is not a whole number >= 0
 */
export function movingMean(values: readonly (number | null)[], reach: number): (number | null)[] {
  if (!Number.isInteger(reach) || reach < 0) {
    throw new RangeError(`movingMean: reach must be a whole number >= 0, not ${reach}`);
  }
  return values.map((_, index) => {
    const side = Math.min(reach, index, values.length - 1 - index);
    let sum = 0;
    let count = 0;
    for (let at = index - side; at <= index + side; at++) {
      const value = values[at] ?? null;
      if (value === null) continue;
      sum += value;
      count += 1;
    }
    return count === 0 ? null : sum / count;
  });
}
