import { isWithin } from '../../src/verdicts/contrasts.ts';
import { add, type Cells, crossedMean, randomStream, spreadTest } from '../../src/verdicts/stats/crossed.ts';

/** How many items each person has: as many as others, 60 % of all if it is the first, or the k-th a k-th of those of the first. */
export type Sharing = 'equal' | 'one' | 'zipf';

/** @returns at least one for each of them */
export function shareItems(people: number, items: number, sharing: Sharing): number[] {
  const weights = Array.from({ length: people }, (_, at) => {
    if (sharing === 'zipf') return 1 / (at + 1);
    return sharing === 'one' && at === 0 ? 1.5 * (people - 1) : 1;
  });
  return weights.map((weight) => Math.max(1, Math.round((items * weight) / add(weights))));
}

/** Who is tested with what. */
export interface Design {
  readonly seeds: number;
  readonly users: number;
  /** Of each user, on average. */
  readonly clips: number;
  /** Equal if left out. */
  readonly sharing?: Sharing;
  /** The k-th seed tests only the users of fold k mod `folds`, which are dealt anew for each pass over them; 1 if each seed tests all. */
  readonly folds: number;
  /** Whether all passes have the same folds, as those that a profile lists. */
  readonly isListed?: boolean;
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
  /** That between the people whom folds train on; 0 if left out. */
  readonly trained?: number;
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
  design: Design,
  { accuracy, loss, stuck = 0, trained = 0, ...own }: Effects,
  {
    repetitions,
    margin,
    arms = 1,
  }: { readonly repetitions: number; readonly margin: number; readonly arms?: number },
): Readonly<Record<'wide' | 'narrow' | 'equivalent' | 'different', number>> {
  const { seeds, users, folds, isListed = false } = design;
  const uniform = randomStream(7);
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const odds = (deviation: number) => Math.exp(deviation * normal());
  // Half of the variance of a difference is the arm's. A point is so many log odds where the models are.
  const base = findBase(accuracy, Math.hypot(USERS, CLIPS));
  const slope = averageOver(Math.hypot(USERS, CLIPS), (z) => {
    const share = sigmoid(base + z);
    return share * (1 - share);
  });
  const [ofSeeds, ofUsers, ofFolds] = [own.seeds, own.users, trained].map(
    (deviation) => deviation / slope / Math.SQRT2,
  ) as [number, number, number];
  const spread = Math.hypot(USERS, CLIPS, ofSeeds, ofUsers, ofFolds);
  const arm = Math.exp(findBase(accuracy - loss, spread));
  const baseline = Math.exp(findBase(accuracy, spread));
  const clips = shareItems(users, users * design.clips, design.sharing ?? 'equal');
  const deal = () => ({
    foldOf: dealFolds(users, folds, uniform),
    shifts: Array.from({ length: folds }, () => [odds(ofFolds), odds(ofFolds)] as const),
  });
  const found = { wide: 0, narrow: 0, equivalent: 0, different: 0 };
  for (let repetition = 0; repetition < repetitions; repetition++) {
    let pass = deal();
    const trainings = Array.from({ length: seeds }, (_, seed) => {
      const fold = seed % folds;
      if (fold === 0 && !isListed) pass = deal();
      const [ours, theirs] = pass.shifts[fold]!;
      const kind = stuck > 0 && uniform() < stuck ? baseline : arm;
      return {
        testsUser: pass.foldOf.map((one) => one === fold),
        ours: kind * ours * odds(ofSeeds),
        theirs: baseline * theirs * odds(ofSeeds),
      };
    });
    const [sums, counts] = [0, 1].map(() => trainings.map(() => clips.map(() => 0))) as [Table, Table];
    let [right, rightBase] = [0, 0];
    for (const [user, count] of clips.entries()) {
      const [both, ours, theirs] = [odds(USERS), odds(ofUsers), odds(ofUsers)];
      const met = [...trainings.entries()].filter(([, { testsUser }]) => testsUser[user]);
      for (const [seed] of met) counts[seed]![user] = count;
      for (let clip = 0; clip < count; clip++) {
        const easy = both * odds(CLIPS);
        for (const [seed, trained] of met) {
          const [first, second] = [easy * ours * trained.ours, easy * theirs * trained.theirs];
          const [isRight, isRightBase] = [uniform() * (1 + first) < first, uniform() * (1 + second) < second];
          sums[seed]![user]! += Number(isRight) - Number(isRightBase);
          right += Number(isRight);
          rightBase += Number(isRightBase);
        }
      }
    }
    const { mean, spread: error } = crossedMean(toCells(sums, counts));
    if (error === null) continue;
    // An interval contains a value exactly if a test does not reject it.
    const p = spreadTest(mean + loss * (1 - stuck), error);
    found.wide += Number(p >= 0.05);
    found.narrow += Number(p >= 0.1);
    const answered = add(counts.map(add));
    const rare = [right, rightBase].reduce((sum, one) => sum + Math.min(one, answered - one) / answered, 0);
    const certainty = { ...error, rare, isGrouped: design.clips > 1 };
    found.equivalent += Number(isWithin(margin, { difference: mean, certainty }));
    found.different += Number(spreadTest(mean, error) <= 0.05 / arms);
  }
  const share = (count: number) => count / repetitions;
  return {
    ...{ wide: share(found.wide), narrow: share(found.narrow) },
    ...{ equivalent: share(found.equivalent), different: share(found.different) },
  };
}

/** The fold of each user, drawn. */
function dealFolds(users: number, folds: number, uniform: () => number): number[] {
  const order = Array.from({ length: users }, (_, user) => ({ user, at: folds > 1 ? uniform() : user }));
  const foldOf = new Array<number>(users);
  for (const [at, { user }] of order.sort((a, b) => a.at - b.at).entries()) foldOf[user] = at % folds;
  return foldOf;
}

/** By seed and group. */
type Table = number[][];

/** Tables of [seeds, groups]; where a count is 0, they do not meet. */
export function toCells(sums: readonly (readonly number[])[], counts: readonly (readonly number[])[]): Cells {
  const rows = counts.map((row, seed) => {
    const at = [...row.keys()].filter((group) => row[group]! > 0);
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
  const step = 0.1;
  let sum = 0;
  for (let z = -8; z <= 8; z += step) sum += value(deviation * z) * Math.exp(-(z ** 2) / 2);
  return (sum * step) / Math.sqrt(2 * Math.PI);
}

export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
