import { studentCdf, studentQuantile } from './distributions.ts';
import type { Interval } from './proportions.ts';

/** How far a mean may be off, for Student's distribution. */
export interface Spread {
  /** Its standard error, positive, in the values' unit. */
  readonly error: number;
  /** Degrees of freedom of the error, not necessarily whole. */
  readonly degrees: number;
}

/**
 * The mean of a table in which every seed meets every user, such as differences of accuracies, with an error for other seeds *and* other
 * users: `x = μ + seed + user + rest`. From the mean squares A of the seeds (S − 1 degrees of freedom), B of the users (U − 1) and R of the
 * rest ((S − 1)(U − 1)): `error² = (A + B − R) / (S · U)`, with Satterthwaite's degrees of freedom. If A or B is below R, seeds or users seem
 * to differ by nothing of their own, and that component counts as 0 instead of below. It is how readers and cases are treated in studies of
 * diagnostic accuracy, and equals errors that are clustered both ways.
 *
 * Assumes that seeds and users are drawn independently from those that the answer is for, and that their effects are about normal. Clips of a
 * user may depend on one another in any way. Where users have different numbers of clips, the mean is over the clips (a ratio of sums).
 *
 * @param sums of what is averaged over a user's clips, [seeds, users]
 * @param counts clips of each user; without users, each clip counts as one
 * @returns null with one seed or one user, and if all cells are equal, which says nothing about how far others may be
 * @throws {RangeError} if a row is not as long as `counts`, or there is nothing to average
 * @see Satterthwaite 1946, Biometrics 2, 110-114; Obuchowski and Rockette 1995, Commun. Stat. Simul. Comput. 24, 285-308; Hillis 2007, Stat. Med.
 *   26, 596-619; Cameron, Gelbach and Miller 2011, J. Bus. Econ. Stat. 29, 238-249; Cochran 1977, Sampling Techniques, 3rd ed., 6.3 (ratio)
 */
export function crossedMean(
  sums: readonly (readonly number[])[],
  counts: readonly number[],
): { readonly mean: number; readonly spread: Spread | null } {
  const [seeds, users] = [sums.length, counts.length];
  const clips = add(counts);
  if (!(seeds > 0 && clips > 0) || sums.some(({ length }) => length !== users)) {
    throw new RangeError(`crossedMean: ${seeds} seeds, ${users} users, ${clips} clips`);
  }
  const mean = add(sums.map(add)) / (seeds * clips);
  if (seeds < 2 || users < 2) return { mean, spread: null };
  // Deviations from the mean; with as many clips of each user, those of the cells' means.
  const cells = sums.map((row) => row.map((sum, user) => ((sum - mean * counts[user]!) * users) / clips));
  const bySeed = cells.map((row) => add(row) / users);
  const byUser = counts.map((_, user) => add(cells.map((row) => row[user]!)) / seeds);
  const squares = (values: readonly number[]) => add(values.map((value) => value ** 2));
  const ofSeeds = (users * squares(bySeed)) / (seeds - 1);
  const ofUsers = (seeds * squares(byUser)) / (users - 1);
  const left = cells.flatMap((row, seed) => row.map((cell, user) => cell - bySeed[seed]! - byUser[user]!));
  const ofRest = squares(left) / ((seeds - 1) * (users - 1));
  const parts: [size: number, degrees: number][] = [
    ...(ofSeeds > ofRest ? [[ofSeeds, seeds - 1] as [number, number]] : []),
    ...(ofUsers > ofRest ? [[ofUsers, users - 1] as [number, number]] : []),
  ];
  if (parts.length !== 1) parts.push([parts.length === 0 ? ofRest : -ofRest, (seeds - 1) * (users - 1)]);
  const total = add(parts.map(([size]) => size));
  const error = Math.sqrt(total / (seeds * users));
  // Rounding alone gives about 1e-17.
  if (!(error > 1e-12)) return { mean, spread: null };
  return {
    mean,
    spread: { error, degrees: total ** 2 / add(parts.map(([size, degrees]) => size ** 2 / degrees)) },
  };
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

function add(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
