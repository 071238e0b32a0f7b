/**
 * Holm's correction for several tests: adjusted p values, to be compared with the level that all of them together shall keep.
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
