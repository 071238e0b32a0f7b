/**
 * Centred moving mean of an even number of values, `2 · reach`: each value becomes the mean of itself and up to `reach` values on each
 * side, of which the outermost two count half. Towards the ends the window shrinks equally on both sides, so that a steep start stays
 * steep and the first and last values are unchanged.
 *
 * @param values null where a value is missing; such values are left out of the means
 * @param reach values on each side, a whole number >= 0
 * @returns as many values; null where the window contains none
 * @throws {RangeError} if `reach` is not a whole number >= 0
 * @see Hyndman and Athanasopoulos 2021, Forecasting, 3rd ed., sec. 3.3: "2 × m" moving averages
 */
export function movingMean(values: readonly (number | null)[], reach: number): (number | null)[] {
  if (!Number.isInteger(reach) || reach < 0) {
    throw new RangeError(`movingMean: reach must be a whole number >= 0, not ${reach}`);
  }
  return values.map((_, index) => {
    const side = Math.min(reach, index, values.length - 1 - index);
    let sum = 0;
    let weights = 0;
    for (let at = index - side; at <= index + side; at++) {
      const value = values[at] ?? null;
      if (value === null) continue;
      const weight = endWeight(at - index, side);
      sum += weight * value;
      weights += weight;
    }
    return weights === 0 ? null : sum / weights;
  });
}

/** The weight of a value in a moving mean: a half at both ends of the window, unless the window is a single value. */
export function endWeight(distance: number, side: number): number {
  return side > 0 && Math.abs(distance) === side ? 0.5 : 1;
}
