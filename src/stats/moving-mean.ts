/** How far a window reaches to both sides of its centre. */
interface Window {
  readonly left: number;
  readonly right: number;
}

/**
 * Centred moving mean of an even number of values, `2 · reach`: each value becomes the mean of itself and up to `reach` values on each
 * side, of which the outermost two count half. Towards the start the window shrinks equally on both sides, so that a steep start stays
 * steep and the first value is unchanged; towards the end only on the right, so that the last values are means, too.
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
    const window = windowAt(index, values.length - 1 - index, reach);
    let sum = 0;
    let weights = 0;
    for (let at = index - window.left; at <= index + window.right; at++) {
      const value = values[at] ?? null;
      if (value === null) continue;
      const weight = weightIn(window, at - index);
      sum += weight * value;
      weights += weight;
    }
    return weights === 0 ? null : sum / weights;
  });
}

/** The window around a place with so much before and behind it. */
export function windowAt(before: number, behind: number, reach: number): Window {
  const left = Math.min(reach, before);
  const right = Math.min(reach, behind);
  return { left, right: Math.min(left, right) };
}

/** The weight of a value so far to the right of a window's centre: a half at both of its ends. */
export function weightIn({ left, right }: Window, distance: number): number {
  return distance !== 0 && (distance === -left || distance === right) ? 0.5 : 1;
}
