import { incompleteBeta, incompleteGamma, logGamma, studentCdf, studentQuantile } from './distributions.ts';
import type { Interval } from './proportions.ts';

/** How far a mean may be off, for Student's distribution. */
export interface Spread {
  /** Its standard error, positive, in the values' unit. */
  readonly error: number;
  /** Degrees of freedom of the error, not necessarily whole. */
  readonly degrees: number;
}

interface CrossedSpread extends Spread {
  /** What the seeds alone add to the error, with the rest. */
  readonly ofSeeds: Spread;
}

/** What is averaged, such as differences of right answers, by seed and by group: a person, a site, or an item that stands for itself. */
export interface Cells {
  /** How many groups there are in all. */
  readonly groups: number;
  /** Of each seed. */
  readonly rows: readonly CellRow[];
}

/** The groups that a seed meets, by place: their sums, and how many items each of these is of, at least one. */
interface CellRow {
  readonly at: readonly number[];
  readonly sums: readonly number[];
  readonly counts: readonly number[];
}

/** Many items may be of one group, or of one seed. */
interface Clusters {
  /** Σ (sum − mean · count)², each term made unbiased for clusters whose means scatter alike. */
  readonly squares: number;
  /** Effective number minus one. */
  readonly degrees: number;
}

/**
 * The scatter of clusters with weights w = share of the items. A cluster's deviation from the mean, which contains it, is too small by
 * `1 − 2w + Σ w²`; the squares of few large clusters say less than as many equal ones, so their effective number is `1 / Σ w²`. With equal weights,
 * these are the usual `G / (G − 1)` and `G − 1`.
 *
 * @param off what each cluster deviates: sum − mean · count
 * @see Bell and McCaffrey 2002, Surv. Methodol. 28, 169-181 (unbiased squares); Carter, Schnepel and Steigerwald 2017, Rev. Econ. Stat. 99,
 *   698-709, and Kish 1965, Survey Sampling, 8.2 (effective number)
 */
export function measureClusters(off: readonly number[], counts: readonly number[]): Clusters {
  const weights = weigh(counts);
  const concentration = squaresOf(weights);
  const squares = off.map((value, i) => value ** 2 / (1 - 2 * weights[i]! + concentration));
  return { squares: add(squares), degrees: 1 / concentration - 1 };
}

function weigh(counts: readonly number[]): number[] {
  const total = add(counts);
  return counts.map((count) => count / total);
}

/** Whether nearly all items are of one cluster, so that nothing says how far others may be. */
export function areOfOne(counts: readonly number[]): boolean {
  return 1 / squaresOf(weigh(counts)) - 1 < LEAST_DEGREES;
}

/** With fewer, about four fifths of all items or more are of one cluster, and intervals would be hundreds of errors wide. */
const LEAST_DEGREES = 0.5;

/**
 * The mean of a table of seeds and groups, such as differences of accuracies by seed and user, with an error for other seeds *and* other groups.
 * Each group meets every seed, or only some, as users of a fold do: `x = μ + seed + group + rest`.
 *
 * The errors are clustered both ways: `error² = V_seeds + V_groups − V_rest`, each of them {@link measureClusters} divided by the squared number of
 * items. Both contain the rest, so neither counts as less than it: what looks small in one run may be large in the next. For a complete table of
 * equal counts, `error² = (A + B − R) / (S · G)`, with the mean squares A of the seeds, B of the groups and R of the rest, which is how readers and
 * cases are treated in studies of diagnostic accuracy.
 *
 * Of seeds and groups, those with fewer degrees of freedom (n) count with their rest, the others (m) with what they add to it, so
 * `t² = w · t²(n) + (1 − w) · t²(m)`, where w is the share of the fewer in error². Intervals with this t are wide enough for a sum of
 * independent variances (Banerjee); with Satterthwaite's degrees of freedom they are too narrow for two seeds. `degrees` are those at which
 * Student's distribution has this t for 95 %.
 *
 * Assumes that seeds and groups are drawn independently from those that the answer is for, and that their effects are about normal and alike. Items of a
 * group may depend on one another in any way. Where cells have different numbers of items, the mean is over the items (a ratio of sums).
 *
 * @returns null with one seed or one group, or if most items are of one of them, and if all cells are equal: nothing says how far others may be
 * @see Cameron, Gelbach and Miller 2011, J. Bus. Econ. Stat. 29, 238-249; Obuchowski and Rockette 1995, Commun. Stat. Simul. Comput. 24, 285-308;
 *   Banerjee 1960, Sankhya 22, 357-358; Cochran 1977, Sampling Techniques, 3rd ed., 6.3 (ratio)
 */
export function crossedMean({ rows, groups }: Cells): {
  readonly mean: number;
  readonly spread: CrossedSpread | null;
} {
  const seedItems = rows.map(({ counts }) => add(counts));
  const items = add(seedItems);
  const mean = add(rows.map(({ sums }) => add(sums))) / items;
  if (rows.length < 2 || groups < 2) return { mean, spread: null };
  const zeros = () => new Array<number>(groups).fill(0);
  const [byGroup, groupItems, met] = [zeros(), zeros(), zeros()];
  const off = rows.map(({ sums, counts }) => sums.map((sum, i) => sum - mean * counts[i]!));
  for (const [seed, { at, counts }] of rows.entries())
    for (const [i, group] of at.entries()) {
      byGroup[group]! += off[seed]![i]!;
      groupItems[group]! += counts[i]!;
      met[group]! += 1;
    }
  // What a cell deviates from its group, and then from its seed; and how many of these are free to vary.
  let [rest, free] = [0, -groups - rows.length];
  for (const [seed, { at }] of rows.entries()) {
    const own = at.map((group, i) => off[seed]![i]! - byGroup[group]! / met[group]!);
    const average = add(own) / at.length;
    rest += squaresOf(own.map((value) => value - average));
    free += at.length + add(at.map((group) => 1 / met[group]!)) / at.length;
  }
  const cells = add(met);
  const alone = measureClusters(byGroup, groupItems);
  const bySeed = measureClusters(off.map(add), seedItems);
  // If each group meets a single seed, groups differ within the seeds only: they are the rest.
  const ofRest = free > 1e-6 ? (cells * rest) / free : alone.squares;
  const ofSeeds = Math.max(bySeed.squares, ofRest);
  const ofGroups = Math.max(alone.squares, ofRest);
  const total = ofSeeds + ofGroups - ofRest;
  const error = Math.sqrt(total) / items;
  // Rounding alone gives about 1e-17.
  if (!(error > 1e-12) || areOfOne(seedItems) || areOfOne(groupItems)) return { mean, spread: null };
  const [fewer, more, ofFewer] =
    bySeed.degrees < alone.degrees
      ? [bySeed.degrees, alone.degrees, ofSeeds]
      : [alone.degrees, bySeed.degrees, ofGroups];
  const degrees = blendDegrees(ofFewer / total, fewer, more);
  return {
    mean,
    spread: { error, degrees, ofSeeds: { error: Math.sqrt(ofSeeds) / items, degrees: bySeed.degrees } },
  };
}

/** The degrees of freedom between `fewer` and `more` at which the 97.5 % quantile, squared, is the weighted mean of theirs. */
function blendDegrees(share: number, fewer: number, more: number): number {
  const square = (degrees: number) => studentQuantile(0.975, degrees) ** 2;
  const t = Math.sqrt(share * square(fewer) + (1 - share) * square(more));
  let [low, high] = [fewer, more];
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    if (studentCdf(t, middle) < 0.975) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function squaresOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value ** 2, 0);
}

/** `mean ± t · error`. @param level of confidence, 0.95 for 95 % */
export function spreadInterval(mean: number, { error, degrees }: Spread, level: number): Interval {
  const reach = studentQuantile((1 + level) / 2, degrees) * error;
  return { low: mean - reach, high: mean + reach };
}

/** Two-sided p of Student's test of a mean of 0. */
export function spreadTest(mean: number, { error, degrees }: Spread): number {
  return 2 * studentCdf(-Math.abs(mean) / error, degrees);
}

export function add(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/**
 * How often a two-sided t test finds a true difference, `P(|T'| > t)` with T' of the noncentral t distribution: its square is
 * noncentral F, a mixture of beta distributions with Poisson weights, `1 − Σ e^(−λ²/2) (λ²/2)^j / j! · I_x(j + ½, ν / 2)` with
 * `x = t² / (ν + t²)`.
 *
 * @param noncentrality λ, the true difference in standard errors of its mean, at least 0
 * @param degrees of freedom ν
 * @param alpha level of the test, 0 to 1, both excluded
 * @see Johnson, Kotz and Balakrishnan 1995, Continuous Univariate Distributions 2, 30.2 and 31.2
 */
export function studentTestPower(noncentrality: number, degrees: number, alpha: number): number {
  const critical = studentQuantile(1 - alpha / 2, degrees);
  const x = critical ** 2 / (degrees + critical ** 2);
  const rate = noncentrality ** 2 / 2;
  const half = degrees / 2;
  let beta = incompleteBeta(x, 0.5, half);
  if (rate === 0) return 1 - beta;
  // I_x(a + 1, b) = I_x(a, b) − x^a (1 − x)^b Γ(a + b) / (Γ(a + 1) Γ(b)): DLMF 8.17.20.
  const off = Math.log(degrees / (degrees + critical ** 2));
  let step = Math.exp(Math.log(x) / 2 + half * off + logGamma(half + 0.5) - logGamma(1.5) - logGamma(half));
  let missed = 0;
  // Ten standard deviations of the Poisson distribution and as many terms as it takes where it is small.
  const last = Math.ceil(rate + 10 * Math.sqrt(rate) + 40);
  for (let j = 0; j <= last; j++) {
    const weight = Math.exp(j * Math.log(rate) - rate - logGamma(j + 1));
    missed += weight * beta;
    beta -= step;
    step *= (x * (j + 0.5 + half)) / (j + 1.5);
  }
  return Math.max(0, 1 - missed);
}

/** The smallest true mean that a two-sided t test finds with the given power. @param alpha level of the test @returns in the unit of `error` */
export function smallestDetectable(
  { error, degrees }: Spread,
  { alpha, power = 0.8 }: { readonly alpha: number; readonly power?: number },
): number {
  let high = 1;
  while (studentTestPower(high, degrees, alpha) < power) high *= 2;
  let low = 0;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (studentTestPower(middle, degrees, alpha) < power) low = middle;
    else high = middle;
  }
  return high * error;
}

/**
 * How often two one-sided t tests (TOST) would show that a true mean of 0 is within ±`margin`: the estimate is `Z · error`, its own error
 * `error · √(χ² / ν)`, so `P(|Z| + t · √(χ² / ν) < margin / error) = ∫ 2 φ(z) · P(χ² < ν · ((margin / error − z) / t)²) dz` from 0 to
 * `margin / error`.
 *
 * @param margin positive, in the unit of `error`
 * @param alpha level of each test
 * @see Phillips 1990, J. Pharmacokinet. Biopharm. 18, 137-144
 */
export function equivalencePower({ error, degrees }: Spread, margin: number, alpha: number): number {
  const t = studentQuantile(1 - alpha, degrees);
  const room = margin / error;
  const density = (z: number) =>
    Math.sqrt(2 / Math.PI) *
    Math.exp(-(z ** 2) / 2) *
    incompleteGamma(degrees / 2, (degrees / 2) * ((room - z) / t) ** 2);
  // Simpson's rule; beyond nine standard deviations there is nothing.
  const last = Math.min(room, 9);
  const steps = 400;
  let sum = density(0) + density(last);
  for (let i = 1; i < steps; i++) sum += (i % 2 === 1 ? 4 : 2) * density((i * last) / steps);
  return Math.min(1, (sum * last) / (3 * steps));
}

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
 * Resamples the seeds and, independently of them, the groups of tables that have both in common, with replacement. The spread of a statistic over
 * the resamples is at least about that over other seeds and groups; with as few as there are here, percentiles are rough.
 *
 * @param tables of the same seeds and groups, in the same order
 * @param repetitions how many resamples
 * @param measure gets the mean of each table, over all items of the resample
 * @returns what it gave, resample by resample; the same for the same arguments
 * @see Owen 2007, Ann. Appl. Stat. 1, 386-411 (the pigeonhole bootstrap)
 */
export function resampleCrossed<Measured>(
  tables: readonly Cells[],
  repetitions: number,
  measure: (means: readonly number[]) => Measured,
): Measured[] {
  const uniform = randomStream(1);
  const [{ rows, groups }] = tables as [Cells];
  return Array.from({ length: repetitions }, () => {
    const seeds = rows.map(() => Math.floor(uniform() * rows.length));
    const times = new Array<number>(groups).fill(0);
    for (let i = 0; i < groups; i++) times[Math.floor(uniform() * groups)]! += 1;
    const means = tables.map((table) => {
      let [sum, items] = [0, 0];
      for (const seed of seeds) {
        const { at, sums, counts } = table.rows[seed]!;
        for (const [i, group] of at.entries()) {
          sum += times[group]! * sums[i]!;
          items += times[group]! * counts[i]!;
        }
      }
      return sum / items;
    });
    return measure(means);
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
