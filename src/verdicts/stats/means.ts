import { add, areOfOne, measureClusters, type Spread, spreadInterval } from './crossed.ts';
import { studentCdf } from './distributions.ts';
import type { Interval } from './proportions.ts';

interface MeanInterval {
  readonly count: number;
  readonly mean: number;
  /** Of the values, not of the mean; with n - 1. */
  readonly standardDeviation: number;
  /** Null for a single value and for equal ones: they say nothing about how far others may be. */
  readonly low: number | null;
  readonly high: number | null;
}

/**
 * Student's 95 % interval of a mean, `m ± t · s / √n`.
 *
 * @param values one per seed, at least one
 * @see Student 1908, Biometrika 6, 1-25
 */
export function meanInterval(values: readonly number[]): MeanInterval {
  const count = values.length;
  const { mean, spread } = clusterMean(values.map((sum) => ({ count: 1, sum })));
  if (spread === null) return { count, mean: values[0]!, standardDeviation: 0, low: null, high: null };
  const standardDeviation = spread.error * Math.sqrt(count);
  return { count, mean, standardDeviation, ...spreadInterval(mean, spread, 0.95) };
}

/** What a test finds out: its p value, and the mean difference with its interval. */
export interface PairedTest extends MeanInterval {
  /** Two-sided; null for a single pair, and if all pairs differ by the same. */
  readonly p: number | null;
}

/**
 * Paired t test: whether two settings differ, each seed being compared with itself.
 *
 * Accuracies are whole clips, so a few seeds may all differ by the same amount by chance. The formula would take the deviation of 0 for
 * proof; but it only means that the deviation cannot be estimated, so there is no test then.
 *
 * @param differences of the pairs, at least one
 */
export function pairedTTest(differences: readonly number[]): PairedTest {
  const interval = meanInterval(differences);
  const { count, mean, standardDeviation } = interval;
  if (standardDeviation === 0) return { ...interval, p: null };
  const t = mean / (standardDeviation / Math.sqrt(count));
  return { ...interval, p: 2 * studentCdf(-Math.abs(t), count - 1) };
}

/** The clips of one user: how many, and the sum of what is averaged, such as how many were right. */
interface Cluster {
  readonly count: number;
  readonly sum: number;
}

/**
 * The error of a mean over clips, over users who count as drawn at random: clips of one person are alike, so intervals that take them for
 * independent are too narrow. It is that of a ratio of sums, Σ (sum − m · count)² by {@link measureClusters}, divided by the squared number of clips;
 * with equally many clips of each of G users, `s / √G` of their means, with G − 1 degrees of freedom. With as few users as there are here,
 * percentiles of a bootstrap would cover far less than they claim.
 *
 * @param clusters users, each with at least one clip
 * @returns null for fewer than two users, if most clips are of one, and if all have the same mean: nothing says how far others may be
 * @see Cochran 1977, Sampling Techniques, 3rd ed., 9A.1 and 6.3; Cameron and Miller 2015, J. Hum. Resour. 50, 317-372, section VI
 *   (degrees of freedom)
 */
export function clusterMean(clusters: readonly Cluster[]): {
  readonly mean: number;
  readonly spread: Spread | null;
} {
  const counts = clusters.map(({ count }) => count);
  const clips = add(counts);
  const mean = add(clusters.map(({ sum }) => sum)) / clips;
  if (clusters.length < 2) return { mean, spread: null };
  const { squares, degrees } = measureClusters(
    clusters.map(({ count, sum }) => sum - mean * count),
    counts,
  );
  const error = Math.sqrt(squares) / clips;
  // Rounding of the mean alone gives about 1e-16.
  const isNothing = error <= 1e-12 * Math.max(1, Math.abs(mean));
  return { mean, spread: isNothing || areOfOne(counts) ? null : { error, degrees } };
}

/** Student's interval of such a mean. @param level of confidence, default 0.95 */
export function clusterMeanInterval(clusters: readonly Cluster[], level = 0.95): Interval | null {
  const { mean, spread } = clusterMean(clusters);
  return spread && spreadInterval(mean, spread, level);
}

/** Mean and extremes of a few values, for instance one per seed. */
export interface Summary {
  readonly count: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
}

/** @param values at least one */
export function summarise(values: readonly number[]): Summary {
  const sum = values.reduce((total, value) => total + value, 0);
  const [min, max] = [Math.min(...values), Math.max(...values)];
  // The mean of equal values must be that value, whatever rounding does to their sum.
  return { count: values.length, mean: min === max ? min : sum / values.length, min, max };
}

/**
 * Centred moving mean of an even number of values, `2 · reach`: each value becomes the mean of itself and up to `reach` values on each
 * side, of which the outermost two count half. Towards the start the window shrinks equally on both sides, so that a steep start stays
 * steep and the first value is unchanged; towards the end only on the right, so that the last values are means, too.
 *
 * @param values null where a value is missing; such values are left out of the means
 * @param reach values on each side, a whole number
 * @returns as many values; null where the window contains none
 * @see Hyndman and Athanasopoulos 2021, Forecasting, 3rd ed., sec. 3.3: "2 × m" moving averages
 */
export function movingMean(values: readonly (number | null)[], reach: number): (number | null)[] {
  return values.map((_, index) => {
    const left = Math.min(reach, index);
    const right = Math.min(left, values.length - 1 - index);
    let sum = 0;
    let weights = 0;
    for (let distance = -left; distance <= right; distance++) {
      const value = values[index + distance] ?? null;
      if (value === null) continue;
      const weight = distance !== 0 && (distance === -left || distance === right) ? 0.5 : 1;
      sum += weight * value;
      weights += weight;
    }
    return weights === 0 ? null : sum / weights;
  });
}
