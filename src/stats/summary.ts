/** Mean and extremes of a few values, for instance one per seed. */
export interface Summary {
  readonly count: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
}

/** @throws {RangeError} if there are no values */
export function summarise(values: readonly number[]): Summary {
  if (values.length === 0) throw new RangeError('summarise: no values');
  let sum = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    sum += value;
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  // The mean of equal values must be that value, whatever rounding does to their sum.
  return { count: values.length, mean: min === max ? min : sum / values.length, min, max };
}
