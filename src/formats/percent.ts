/** A share from 0 to 1 as a percentage: `66.7 %`. */
export function formatPercent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
