import { type Cells, crossedMean, randomStream, spreadTest } from '../../src/verdicts/stats/crossed.ts';

/** Who is tested with what. */
export interface Design {
  readonly seeds: number;
  readonly users: number;
  /** Of each user. */
  readonly clips: number;
  /** The k-th seed tests only the users of fold k mod `folds`; 1 if each seed tests all. */
  readonly folds: number;
}

/** What two models are like: the arm and its baseline. */
export interface Effects {
  /** The baseline's accuracy, a share. */
  readonly accuracy: number;
  /** How much less accurate the arm is. */
  readonly loss: number;
  /** Standard deviations of the difference between seeds and between users, as shares. */
  readonly seeds: number;
  readonly users: number;
  /**
   * The share of the arm's seeds that stay at the baseline's accuracy, so that the seeds are of two kinds and `loss` is that of the others; none if left out.
   */
  readonly stuck?: number;
}

/** Standard deviations, on the scale of log odds, of what both models share: of users and of clips. */
const [USERS, CLIPS] = [0.5, 1];

/**
 * Simulates answers that are right or wrong, with log odds of `base + user + clip + own seed + own user`, where both models have effects of
 * their own, all normal. How often the 95 % and the 90 % interval contain the true difference, that of all seeds, users and clips, how
 * often the 90 % interval lies within ±`margin`, and how often the arm is called different at the level of the first of `arms` in Holm's
 * correction.
 */
export function simulateCoverage(
  { seeds, users, clips, folds }: Design,
  { accuracy, loss, stuck = 0, ...own }: Effects,
  {
    repetitions,
    margin,
    arms = 1,
  }: { readonly repetitions: number; readonly margin: number; readonly arms?: number },
): Readonly<Record<'wide' | 'narrow' | 'equivalent' | 'different', number>> {
  const uniform = randomStream(7);
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const odds = (deviation: number) => Math.exp(deviation * normal());
  // Half of the variance of a difference is the arm's. A point is so many log odds where the models are.
  const base = findBase(accuracy, Math.hypot(USERS, CLIPS));
  const slope = averageOver(Math.hypot(USERS, CLIPS), (z) => {
    const share = sigmoid(base + z);
    return share * (1 - share);
  });
  const [ofSeeds, ofUsers] = [own.seeds / slope / Math.SQRT2, own.users / slope / Math.SQRT2];
  const spread = Math.hypot(USERS, CLIPS, ofSeeds, ofUsers);
  const arm = Math.exp(findBase(accuracy - loss, spread));
  const baseline = Math.exp(findBase(accuracy, spread));
  const counts = Array.from({ length: seeds }, (_, seed) =>
    Array.from({ length: users }, (_, user) => (user % folds === seed % folds ? clips : 0)),
  );
  const found = { wide: 0, narrow: 0, equivalent: 0, different: 0 };
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const trained = counts.map(() => {
      const kind = stuck > 0 && uniform() < stuck ? baseline : arm;
      return [kind * odds(ofSeeds), baseline * odds(ofSeeds)] as const;
    });
    const sums = counts.map((row) => row.map(() => 0));
    for (let user = 0; user < users; user++) {
      const [both, ours, theirs] = [odds(USERS), odds(ofUsers), odds(ofUsers)];
      for (let clip = 0; clip < clips; clip++) {
        const easy = both * odds(CLIPS);
        for (let seed = user % folds; seed < seeds; seed += folds) {
          const [first, second] = [easy * ours * trained[seed]![0], easy * theirs * trained[seed]![1]];
          const isRight = uniform() * (1 + first) < first;
          sums[seed]![user]! += Number(isRight) - Number(uniform() * (1 + second) < second);
        }
      }
    }
    const { mean, spread: error } = crossedMean(toCells(sums, counts));
    if (error === null) continue;
    // An interval contains a value exactly if a test does not reject it.
    const p = spreadTest(mean + loss * (1 - stuck), error);
    found.wide += Number(p >= 0.05);
    found.narrow += Number(p >= 0.1);
    const isWithin = Math.abs(mean) < margin && spreadTest(margin - Math.abs(mean), error) < 0.1;
    found.equivalent += Number(isWithin);
    found.different += Number(spreadTest(mean, error) <= 0.05 / arms);
  }
  const share = (count: number) => count / repetitions;
  return {
    ...{ wide: share(found.wide), narrow: share(found.narrow) },
    ...{ equivalent: share(found.equivalent), different: share(found.different) },
  };
}

/** Tables of [seeds, groups]; where a count is 0, they do not meet. */
export function toCells(sums: readonly (readonly number[])[], counts: readonly (readonly number[])[]): Cells {
  const rows = counts.map((row, seed) => {
    const at = row.flatMap((count, group) => (count > 0 ? [group] : []));
    return { at, sums: at.map((group) => sums[seed]![group]!), counts: at.map((group) => row[group]!) };
  });
  return { rows, groups: counts[0]!.length };
}

/** The log odds with this mean share, if they also vary with `deviation`. */
export function findBase(share: number, deviation: number): number {
  let [low, high] = [-20, 20];
  for (let i = 0; i < 50; i++) {
    const middle = (low + high) / 2;
    if (averageOver(deviation, (z) => sigmoid(middle + z)) < share) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** The mean of a function of a normal variable, by the trapezoidal rule. */
export function averageOver(deviation: number, value: (z: number) => number): number {
  const step = 0.02;
  let sum = 0;
  for (let z = -8; z <= 8; z += step) sum += value(deviation * z) * Math.exp(-(z ** 2) / 2);
  return (sum * step) / Math.sqrt(2 * Math.PI);
}

export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
