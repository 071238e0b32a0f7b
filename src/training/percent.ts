/** A share as a percentage with one decimal: `95.5 %`. */
export function formatPercent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
