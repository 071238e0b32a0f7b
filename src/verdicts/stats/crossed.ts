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
  /** What the seeds add to the error, with the rest; the users aside. */
  readonly ofSeeds: number;
}

/**
 * The mean of a table of seeds and users, such as differences of accuracies, with an error for other seeds *and* other users. Each user meets
 * every seed, or only the seeds of his fold: `x = μ + seed + user + rest`.
 *
 * The errors are clustered both ways: `error² = V_seeds + V_users − V_rest`. V_seeds sums the squares of what each seed deviates, times
 * S / (S − 1) and divided by the squared number of clips; V_users does so for the users. Both contain the rest, so neither counts as less than
 * it: what looks small in one run may be large in the next. For a complete table, `error² = (A + B − R) / (S · U)`, with the mean squares A of
 * the seeds, B of the users and R of the rest, which is how readers and cases are treated in studies of diagnostic accuracy.
 *
 * Of seeds and users, those that are fewer (n of them) count with their rest, the others (m) with what they add to it, so
 * `t² = w · t²(n − 1) + (1 − w) · t²(m − 1)`, where w is the share of the fewer in error². Intervals with this t are wide enough for a sum of
 * independent variances (Banerjee); with Satterthwaite's degrees of freedom they are too narrow for two seeds. `degrees` are those at which
 * Student's distribution has this t for 95 %.
 *
 * Assumes that seeds and users are drawn independently from those that the answer is for, and that their effects are about normal. Clips of a
 * user may depend on one another in any way. Where cells have different numbers of clips, the mean is over the clips (a ratio of sums).
 *
 * @param sums of what is averaged over a user's clips, [seeds, users]
 * @param counts clips of each cell, [seeds, users]; 0 where a seed does not meet a user. Without users, each clip counts as one
 * @returns null with one seed or one user, and if all cells are equal, which says nothing about how far others may be
 * @see Cameron, Gelbach and Miller 2011, J. Bus. Econ. Stat. 29, 238-249; Obuchowski and Rockette 1995, Commun. Stat. Simul. Comput. 24, 285-308;
 *   Banerjee 1960, Sankhya 22, 357-358; Cochran 1977, Sampling Techniques, 3rd ed., 6.3 (ratio)
 */
export function crossedMean(
  sums: CellTable,
  counts: CellTable,
): { readonly mean: number; readonly spread: CrossedSpread | null } {
  const clips = add(counts.map(add));
  const mean = add(sums.map(add)) / clips;
  const [seeds, users] = [sums.length, sums[0]?.length ?? 0];
  if (seeds < 2 || users < 2) return { mean, spread: null };
  const met = counts.map((row) => row.map((count) => Number(count > 0)));
  const [metBySeed, metByUser] = [met.map(add), addRows(met)];
  const off = sums.map((row, seed) => row.map((sum, user) => sum - mean * counts[seed]![user]!));
  const [bySeed, byUser] = [off.map(add), addRows(off)];
  // What a cell deviates from its user, and then from its seed.
  const left = off.map((row, seed) => {
    const own = row.map((value, user) => met[seed]![user]! * (value - byUser[user]! / metByUser[user]!));
    const average = add(own) / metBySeed[seed]!;
    return squares(own.map((value, user) => met[seed]![user]! * (value - average)));
  });
  // Users of a fold meet the same seeds, so also the same first one.
  const folds = new Set(byUser.map((_, user) => met.findIndex((row) => row[user] === 1))).size;
  const cells = add(metBySeed);
  const free = cells - seeds - users + folds;
  const usersAlone = (users * squares(byUser)) / (users - 1);
  // If each user meets a single seed, users differ within the seeds only: they are the rest.
  const ofRest = free > 0 ? (cells * add(left)) / free : usersAlone;
  const ofSeeds = Math.max((seeds * squares(bySeed)) / (seeds - 1), ofRest);
  const ofUsers = Math.max(usersAlone, ofRest);
  const total = ofSeeds + ofUsers - ofRest;
  const error = Math.sqrt(total) / clips;
  // Rounding alone gives about 1e-17.
  if (!(error > 1e-12)) return { mean, spread: null };
  const ofFewer = seeds < users ? ofSeeds : ofUsers;
  const [fewer, more] = [Math.min(seeds, users) - 1, Math.max(seeds, users) - 1];
  const degrees = blendDegrees(ofFewer / total, fewer, more);
  return { mean, spread: { error, degrees, ofSeeds: Math.sqrt(ofSeeds) / clips } };
}

/** [seeds, users] */
export type CellTable = readonly (readonly number[])[];

/** The sum of each column. */
export function addRows(table: CellTable): number[] {
  const sums = new Array<number>(table[0]?.length ?? 0).fill(0);
  for (const row of table) for (const [column, value] of row.entries()) sums[column]! += value;
  return sums;
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

function squares(values: readonly number[]): number {
  return add(values.map((value) => value ** 2));
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
  if (rate === 0) return 1 - incompleteBeta(x, 0.5, degrees / 2);
  let missed = 0;
  // Ten standard deviations of the Poisson distribution and as many terms as it takes where it is small.
  const last = Math.ceil(rate + 10 * Math.sqrt(rate) + 40);
  for (let j = 0; j <= last; j++) {
    const weight = Math.exp(j * Math.log(rate) - rate - logGamma(j + 1));
    if (weight > 0) missed += weight * incompleteBeta(x, j + 0.5, degrees / 2);
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
 * Resamples the rows and, independently of them, the columns of tables that have both in common, with replacement: seeds and users. The
 * spread of a statistic over the resamples is at least about that over other seeds and users; with as few as there are here, percentiles
 * are rough.
 *
 * @param tables of the sums over a user's clips, [seeds, users]
 * @param counts clips of each cell, [seeds, users]
 * @param repetitions how many resamples
 * @param measure gets the mean of each table, over all clips of the resample
 * @returns what it gave, resample by resample; the same for the same arguments
 * @see Owen 2007, Ann. Appl. Stat. 1, 386-411 (the pigeonhole bootstrap)
 */
export function resampleCrossed<Measured>(
  tables: readonly CellTable[],
  counts: CellTable,
  repetitions: number,
  measure: (means: readonly number[]) => Measured,
): Measured[] {
  const uniform = randomStream(1);
  const draw = (count: number) => Array.from({ length: count }, () => Math.floor(uniform() * count));
  return Array.from({ length: repetitions }, () => {
    const [seeds, users] = [draw(counts.length), draw(counts[0]?.length ?? 0)];
    const sumOf = (table: CellTable) =>
      seeds.reduce((sum, seed) => sum + users.reduce((part, user) => part + table[seed]![user]!, 0), 0);
    const clips = sumOf(counts);
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
