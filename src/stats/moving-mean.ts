/**
 * Centred moving mean: each value becomes the mean of itself and up to `reach` values to each side. Towards the ends the
 * window shrinks on both sides alike, so that a steep beginning stays steep and the first and last value stay as they are.
 *
 * @param values null where there is none; such values are left out of the means
 * @param reach values to each side, a whole number from 0
 * @returns as many values; null where the window holds none
 * @throws {RangeError} if `reach` is not a whole number from 0
 */
export function movingMean(values: readonly (number | null)[], reach: number): (number | null)[] {
  if (!Number.isInteger(reach) || reach < 0) {
    throw new RangeError(`movingMean: reach must be a whole number from 0, not ${reach}`);
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
