/** A network's size, and how well it does. */
interface Point {
  readonly size: number;
  readonly value: number;
}

/**
 * The size at which a curve reaches a value. The curve is the closest that never falls (isotonic regression, each size counting once), linearly
 * interpolated between sizes.
 *
 * @param points by ascending size, at least one
 * @returns −∞ if it is above the value at all sizes, ∞ if it is below at all
 * @see Ayer et al. 1955, Ann. Math. Stat. 26, 641-647 (pooling adjacent violators)
 */
export function sizeReaching(points: readonly Point[], value: number): number {
  const rising = raiseMonotone(points);
  const at = rising.findIndex((point) => point.value >= value);
  const [above, below] = [rising[at], rising[at - 1]];
  if (above === undefined) return Number.POSITIVE_INFINITY;
  if (below === undefined) return above.value === value ? above.size : Number.NEGATIVE_INFINITY;
  return below.size + ((value - below.value) / (above.value - below.value)) * (above.size - below.size);
}

function raiseMonotone(points: readonly Point[]): Point[] {
  const blocks: { sum: number; sizes: number[] }[] = [];
  for (const { size, value } of points) {
    let last = { sum: value, sizes: [size] };
    for (let before = blocks.at(-1); before !== undefined; before = blocks.at(-1)) {
      if (before.sum / before.sizes.length < last.sum / last.sizes.length) break;
      blocks.pop();
      last = { sum: before.sum + last.sum, sizes: [...before.sizes, ...last.sizes] };
    }
    blocks.push(last);
  }
  return blocks.flatMap(({ sum, sizes }) => sizes.map((size) => ({ size, value: sum / sizes.length })));
}

/**
 * Resamples the rows and, independently of them, the columns of tables that have both in common, with replacement: seeds and users. The
 * spread of a statistic over the resamples is at least about that over other seeds and users; with as few as there are here, percentiles
 * are rough.
 *
 * @param tables of the sums over a user's clips, [seeds, users]
 * @param counts clips of each user
 * @param repetitions how many resamples
 * @param measure gets the mean of each table, over all clips of the resample
 * @returns what it gave, resample by resample; the same for the same arguments
 * @see Owen 2007, Ann. Appl. Stat. 1, 386-411 (the pigeonhole bootstrap)
 */
export function resampleCrossed<Measured>(
  tables: readonly (readonly (readonly number[])[])[],
  counts: readonly number[],
  repetitions: number,
  measure: (means: readonly number[]) => Measured,
): Measured[] {
  const uniform = randomStream(1);
  const draw = (count: number) => Array.from({ length: count }, () => Math.floor(uniform() * count));
  return Array.from({ length: repetitions }, () => {
    const [seeds, users] = [draw(tables[0]?.length ?? 0), draw(counts.length)];
    const clips = seeds.length * users.reduce((sum, user) => sum + counts[user]!, 0);
    const sumOf = (table: readonly (readonly number[])[]) =>
      seeds.reduce((sum, seed) => sum + users.reduce((part, user) => part + table[seed]![user]!, 0), 0);
    return measure(tables.map((table) => sumOf(table) / clips));
  });
}

/** The middle 95 %, by rank. @param values may be infinite */
export function middleInterval(values: readonly number[]): { readonly low: number; readonly high: number } {
  const sorted = [...values].sort((a, b) => (a < b ? -1 : Number(a > b)));
  const tail = Math.floor(0.025 * sorted.length);
  return { low: sorted[tail]!, high: sorted[sorted.length - 1 - tail]! };
}

/** Mulberry32: numbers from 0 to 1, 1 excluded; the same on every machine. */
export function randomStream(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
