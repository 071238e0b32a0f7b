import { crossedMean, randomStream, spreadInterval } from '../../../src/results/stats/crossed.ts';

/** A made-up pair of models. Log odds of being right: `base + user + clip + seed`, for the arm also `shift + its own user + its own seed`. */
export interface Scenario {
  readonly seeds: number;
  readonly users: number;
  /** Of each user. */
  readonly clips: number;
  readonly shift: number;
  /** Standard deviations of what the arm has of its own. */
  readonly armUsers: number;
  readonly armSeeds: number;
}

/** Standard deviations of what both models share: of users and of clips; and of each training's own seed. */
const [BASE, USERS, CLIPS, SEEDS] = [2.6, 0.5, 1, 0.2];

/**
 * How often the 95 % interval of the arm's difference contains the true one, that of all seeds, users and clips.
 *
 * @returns the share that {@link crossedMean} covers, and what intervals cover that only see the seeds, with 1.96 standard errors
 */
export function simulateCoverage(
  scenario: Scenario,
  repetitions: number,
): { crossed: number; seedsOnly: number } {
  const { seeds, users, clips, shift, armUsers, armSeeds } = scenario;
  const uniform = randomStream(7);
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const many = (count: number, deviation: number) =>
    Array.from({ length: count }, () => deviation * normal());
  const truth =
    meanSigmoid(BASE + shift, Math.hypot(USERS, CLIPS, SEEDS, armUsers, armSeeds)) -
    meanSigmoid(BASE, Math.hypot(USERS, CLIPS, SEEDS));
  const covered = { crossed: 0, seedsOnly: 0 };
  for (let repetition = 0; repetition < repetitions; repetition++) {
    const [ours, theirs] = [many(seeds, SEEDS), many(seeds, Math.hypot(SEEDS, armSeeds))];
    const sums = ours.map(() => new Array<number>(users).fill(0));
    for (let user = 0; user < users; user++) {
      const [both, own] = [USERS * normal(), armUsers * normal()];
      for (const clip of many(clips, CLIPS)) {
        for (let seed = 0; seed < seeds; seed++) {
          const odds = BASE + both + clip;
          const right = uniform() < sigmoid(odds + shift + own + theirs[seed]!);
          sums[seed]![user]! += Number(right) - Number(uniform() < sigmoid(odds + ours[seed]!));
        }
      }
    }
    const { mean, spread } = crossedMean(sums, new Array<number>(users).fill(clips));
    const interval = spread && spreadInterval(mean, spread, 0.95);
    covered.crossed += Number(interval !== null && interval.low <= truth && truth <= interval.high);
    const bySeed = sums.map((row) => row.reduce((a, b) => a + b, 0) / (users * clips));
    const error = Math.sqrt(bySeed.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (seeds * (seeds - 1)));
    covered.seedsOnly += Number(Math.abs(mean - truth) <= 1.96 * error);
  }
  return { crossed: covered.crossed / repetitions, seedsOnly: covered.seedsOnly / repetitions };
}

/** The mean of 1 / (1 + e^(−x)) over normal x, by the trapezoidal rule. */
function meanSigmoid(mean: number, deviation: number): number {
  const step = 0.01;
  let sum = 0;
  for (let z = -9; z <= 9; z += step) sum += sigmoid(mean + deviation * z) * Math.exp(-(z ** 2) / 2);
  return (sum * step) / Math.sqrt(2 * Math.PI);
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
