import { studentQuantile } from './student.ts';
import type { Interval } from './wilson.ts';

/** The clips of one user: how many, and the sum of what is averaged, such as how many were right. */
export interface Cluster {
  readonly count: number;
  readonly sum: number;
}

/**
 * Student's interval of a mean over clips, `m ± t · s / √G`, over G users who count as drawn at random: clips of one person are alike, so
 * intervals that take them for independent are too narrow. With equally many clips of each user, it is that of the users' means; else
 * that of a ratio of sums, `s² / G = G / (G − 1) · Σ (sum − m · count)² / (Σ count)²`. t has G − 1 degrees of freedom: with as few
 * users as there are here, percentiles of a bootstrap would cover far less than they claim.
 *
 * @param clusters at least two, each with at least one clip
 * @param level of confidence, default 0.95
 * @returns null if all users have the same mean, which says nothing about how far others may be
 * @throws {RangeError} if there are fewer
 * @see Cochran 1977, Sampling Techniques, 3rd ed., 9A.1 and 6.3; Cameron and Miller 2015, J. Hum. Resour. 50, 317-372, section VI
 *   (degrees of freedom)
 */
export function clusterMeanInterval(clusters: readonly Cluster[], level = 0.95): Interval | null {
  const users = clusters.length;
  if (users < 2 || clusters.some(({ count }) => !(count > 0))) {
    throw new RangeError('clusterMeanInterval: at least two users with clips are needed');
  }
  const clips = clusters.reduce((total, { count }) => total + count, 0);
  const mean = clusters.reduce((total, { sum }) => total + sum, 0) / clips;
  const squares = clusters.reduce((total, { count, sum }) => total + (sum - mean * count) ** 2, 0);
  const error = Math.sqrt((users / (users - 1)) * squares) / clips;
  // Rounding of the mean alone gives about 1e-16.
  if (error <= 1e-12 * Math.max(1, Math.abs(mean))) return null;
  const reach = studentQuantile((1 + level) / 2, users - 1) * error;
  return { low: mean - reach, high: mean + reach };
}
