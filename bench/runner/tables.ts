export interface Turn {
  /** `node -e 0`, in ms. */
  readonly node: number;
  /** Tool -> a run that has nothing to do, in ms. */
  readonly tools: ReadonlyMap<string, number>;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** How long a tool takes to do nothing, in units of the same turn's `node -e 0`. */
export function ratioOf(turns: readonly Turn[], tool: string): number {
  return median(turns.map(({ node, tools }) => (tools.get(tool) ?? Number.NaN) / node));
}

/** One line a tool: how long it takes to do nothing, also in units of the same turn's `node -e 0`, and to make everything once. */
export function printTurns(turns: readonly Turn[], first: ReadonlyMap<string, number>, stages: number): void {
  const nodes = turns.map(({ node }) => node);
  const line = (cells: readonly string[]): void =>
    console.log(cells.map((cell, i) => (i === 0 ? cell.padEnd(12) : cell.padStart(20))).join(''));
  line(['', 'nothing to do: best', 'median', 'in node -e 0', 'to make: per stage']);
  line(['node -e 0', ms(Math.min(...nodes)), ms(median(nodes)), '1.00', '']);
  for (const [tool, firstMs] of first) {
    const values = turns.map(({ tools }) => tools.get(tool) ?? Number.NaN);
    const ratio = ratioOf(turns, tool).toFixed(2);
    line([tool, ms(Math.min(...values)), ms(median(values)), ratio, ms(firstMs / stages)]);
  }
}

function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}
