import { logGamma } from './special.ts';
import type { Interval } from './wilson.ts';

/** The clips of one user: how many, and the sum of what is averaged, such as how many were right. */
export interface Cluster {
  readonly count: number;
  readonly sum: number;
}

/** Beyond this, drawing is faster than counting. */
const MOST_SAMPLES = 200_000;

/**
 * Bootstrap interval of a mean over clips, by percentiles, with whole users drawn: clips of one person are alike, so intervals that take them
 * for independent are too narrow.
 *
 * With as few users as there are here, nothing is drawn at random: all multisets of G users are counted, each with its probability (G = 6:
 * 462 of them), which is what infinitely many draws would give.
 *
 * @param clusters at least two, each with at least one clip
 * @param level of confidence, default 0.95
 * @throws {RangeError} if there are fewer, or so many that they cannot be counted (more than 10 users)
 * @see Davison and Hinkley 1997, Bootstrap Methods and their Application, 3.8; Fisher and Hall 1991, Ann. Inst. Stat. Math. 43, 157-169
 *   (the exact bootstrap)
 */
export function clusterBootstrap(clusters: readonly Cluster[], level = 0.95): Interval {
  const users = clusters.length;
  if (users < 2 || clusters.some(({ count }) => !(count > 0))) {
    throw new RangeError('clusterBootstrap: at least two users with clips are needed');
  }
  if (Math.exp(logGamma(2 * users) - logGamma(users + 1) - logGamma(users)) > MOST_SAMPLES) {
    throw new RangeError(`clusterBootstrap: ${users} users are too many to count all samples of them`);
  }
  const samples: { readonly mean: number; readonly weight: number }[] = [];
  const logAll = logGamma(users + 1) - users * Math.log(users);
  const visit = (user: number, left: number, count: number, sum: number, logWeight: number): void => {
    if (user === users - 1) {
      const { count: more, sum: add } = clusters[user]!;
      const weight = Math.exp(logWeight - logGamma(left + 1));
      samples.push({ mean: (sum + left * add) / (count + left * more), weight });
      return;
    }
    for (let times = 0; times <= left; times++) {
      const { count: more, sum: add } = clusters[user]!;
      visit(user + 1, left - times, count + times * more, sum + times * add, logWeight - logGamma(times + 1));
    }
  };
  visit(0, users, 0, 0, logAll);
  samples.sort((a, b) => a.mean - b.mean);
  return { low: quantileOf(samples, (1 - level) / 2), high: quantileOf(samples, (1 + level) / 2) };
}

/** The smallest mean with at least this much probability at or below it. */
function quantileOf(samples: readonly { mean: number; weight: number }[], probability: number): number {
  let sum = 0;
  for (const { mean, weight } of samples) {
    sum += weight;
    // Rounding of the sum must not skip a mean that is exactly there.
    if (sum >= probability - 1e-12) return mean;
  }
  return samples.at(-1)!.mean;
}
