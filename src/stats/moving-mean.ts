/**
 * Centred moving mean of an even number of values, `2 · reach`: each value becomes the mean of itself and up to `reach` values on each
 * side, of which the outermost two count half. Towards the start the window shrinks equally on both sides, so that a steep start stays
 * steep and the first value is unchanged; towards the end only on the right, so that the last values are means, too.
 *
 * @param values null where a value is missing; such values are left out of the means
 * @param reach values on each side, a whole number
 * @returns as many values; null where the window contains none
 * @see Hyndman and Athanasopoulos 2021, Forecasting, 3rd ed., sec. 3.3: "2 × m" moving averages
 */
export function movingMean(values: readonly (number | null)[], reach: number): (number | null)[] {
  return values.map((_, index) => {
    const left = Math.min(reach, index);
    const right = Math.min(left, values.length - 1 - index);
    let sum = 0;
    let weights = 0;
    for (let distance = -left; distance <= right; distance++) {
      const value = values[index + distance] ?? null;
      if (value === null) continue;
      const weight = distance !== 0 && (distance === -left || distance === right) ? 0.5 : 1;
      sum += weight * value;
      weights += weight;
    }
    return weights === 0 ? null : sum / weights;
  });
}
