/** A difference of shares in percentage points, `+1.4 points`. */
export function formatPoints(difference: number, signed = true): string {
  const tenths = Math.round(1000 * difference);
  const sign = tenths < 0 ? '−' : signed && tenths > 0 ? '+' : '';
  return `${sign}${(Math.abs(tenths) / 10).toFixed(1)}\u00a0points`;
}
