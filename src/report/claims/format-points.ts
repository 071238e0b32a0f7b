/** A difference of shares in percentage points, `+1.4 points`. */
export function formatPoints(difference: number, signed = true): string {
  const points = (100 * difference).toFixed(1);
  const text = signed && !points.startsWith('-') ? `+${points}` : points.replace(/^-/, '−');
  return `${text.replace(/^-/, '−')}\u00a0points`;
}
