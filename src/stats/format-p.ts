/** A p value in a table, `0.021` or `< 0.001`. */
export function formatP(p: number): string {
  return p < 0.001 ? '<\u00a00.001' : p.toFixed(3);
}

/** A p value in a sentence, `p = 0.021` or `p < 0.001`. */
export function stateP(p: number): string {
  return p < 0.001 ? `p ${formatP(p)}` : `p = ${formatP(p)}`;
}
