import type { AnswerTable } from '../../src/verdicts/answers.ts';
import { randomStream } from '../../src/verdicts/stats/crossed.ts';
import { clusterMean } from '../../src/verdicts/stats/means.ts';
import { averageOver, findBase, type Sharing, shareItems, sigmoid } from '../intervals/simulate.ts';

/**
 * How a study is drawn: of any kind; of these very trainings, one of each arm; with people of whom one has 60 % of the items, or by Zipf; or near the
 * ceiling, 98 % right, with few people and many seeds.
 */
export type Sample = 'any' | 'fixed' | Exclude<Sharing, 'equal'> | 'ceiling';

/** What a study is like. Deviations are those of the difference of two arms, as shares. */
export interface Design {
  readonly isScore: boolean;
  /** How many items each person has; null if items stand for themselves. */
  readonly people: readonly number[] | null;
  readonly items: number;
  readonly seeds: number;
  /** Of the best arm; scores have the same unit. */
  readonly accuracy: number;
  readonly deviation: { readonly seeds: number; readonly people: number; readonly items: number };
}

/** Standard deviations of what all systems share: of people and of items, in log odds and in scores. */
const SHARED = { odds: { people: 0.5, items: 1 }, score: { people: 0.05, items: 0.08 } } as const;
/** How much trainings of one system differ on the same item, in scores. */
const NOISE = 0.04;

/** Random numbers, the same on every machine. */
export interface Random {
  /** 0 to 1, 1 excluded. */
  uniform(): number;
  normal(): number;
  between(low: number, high: number): number;
  /** A whole number, both ends included. */
  count(low: number, high: number): number;
  either(): boolean;
}

export function createRandom(seed: number): Random {
  const uniform = randomStream(seed);
  const between = (low: number, high: number) => low + (high - low) * uniform();
  return {
    uniform,
    between,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    count: (low, high) => Math.floor(between(low, high + 1)),
    either: () => uniform() < 0.5,
  };
}

export function drawDesign(sample: Sample, random: Random): Design {
  const isCeiling = sample === 'ceiling';
  const isScore = random.either() && !isCeiling;
  const people = drawPeople(sample, random);
  const seeds = random.count(1, 10);
  return {
    isScore,
    people,
    items: people?.reduce((sum, count) => sum + count, 0) ?? random.count(200, 2000),
    seeds: sample === 'fixed' ? 1 : isCeiling ? 10 : seeds,
    accuracy: isCeiling ? 0.98 : random.between(0.7, 0.97),
    deviation: {
      seeds: sample === 'fixed' ? 0 : random.between(0.005, 0.03),
      people: people === null ? 0 : random.between(0, 0.03),
      items: random.between(0, 0.1),
    },
  };
}

function drawPeople(sample: Sample, random: Random): number[] | null {
  const equal = (count: number) => Array.from({ length: count }, () => random.count(8, 50));
  if (sample === 'ceiling') return equal(8);
  if (sample === 'any' || sample === 'fixed') return random.either() ? equal(random.count(6, 30)) : null;
  const count = random.count(5, 30);
  return shareItems(count, count * random.count(8, 50), sample);
}

/** Whose the items are, and how easy each is for all systems. */
export interface TestSet {
  /** The person of each item, by place; the item itself if there are none. */
  readonly owners: readonly number[];
  readonly count: number;
  readonly easy: Float64Array;
}

export function drawItems({ people, items, isScore }: Design, random: Random): TestSet {
  const shared = SHARED[isScore ? 'score' : 'odds'];
  const owners =
    people?.flatMap((count, person) => new Array<number>(count).fill(person)) ??
    Array.from({ length: items }, (_, item) => item);
  const ofPeople = Float64Array.from(people ?? [], () => shared.people * random.normal());
  return {
    owners,
    count: people?.length ?? items,
    easy: Float64Array.from(owners, (owner) => (ofPeople[owner] ?? 0) + shared.items * random.normal()),
  };
}

/**
 * Trains a system and tests it: answers by training and item. The log odds of a right answer, or the scores, are a sum of normal effects of
 * person, item and training, some of them the system's own.
 *
 * @param accuracy its mean over all trainings, people and items
 */
function train(
  accuracy: number,
  trainings: number,
  { owners, count, easy }: TestSet,
  design: Design,
  random: Random,
): Float64Array[] {
  const { base, own } = findEffects(accuracy, design);
  const ofPeople = Float64Array.from({ length: count }, () => own.people * random.normal());
  const ofItems = Float64Array.from(
    owners,
    (owner, item) => easy[item]! + ofPeople[owner]! + own.items * random.normal(),
  );
  return Array.from({ length: trainings }, () => {
    const level = base + own.seeds * random.normal();
    return ofItems.map((item) =>
      design.isScore
        ? level + item + NOISE * random.normal()
        : Number(random.uniform() < sigmoid(level + item)),
    );
  });
}

/** What a system adds to the effects that all share: half of the variance of a difference is one system's. */
function findEffects(accuracy: number, { isScore, people, deviation, ...design }: Design) {
  const scale = (slope: number) => ({
    seeds: deviation.seeds / slope / Math.SQRT2,
    people: deviation.people / slope / Math.SQRT2,
    items: deviation.items / slope / Math.SQRT2,
  });
  if (isScore) return { base: accuracy, own: scale(1) };
  const shared = Math.hypot(people === null ? 0 : SHARED.odds.people, SHARED.odds.items);
  // A point is so many log odds where the best arm is.
  const middle = findBase(design.accuracy, shared);
  const own = scale(averageOver(shared, (z) => sigmoid(middle + z) * (1 - sigmoid(middle + z))));
  return { own, base: findBase(accuracy, Math.hypot(shared, own.seeds, own.people, own.items)) };
}

/** @param accuracies of the arms `a`, `b` and so on, which answer the same items */
export function simulateStudy(
  accuracies: readonly number[],
  set: TestSet,
  design: Design,
  random: Random,
): AnswerTable {
  const { isScore, people, seeds } = design;
  const items = set.owners.map((_, item) => `item ${item}`);
  const answer = (accuracy: number) =>
    train(accuracy, seeds, set, design, random).map((answers, seed) => {
      const byItem = new Map<string, number>();
      for (const [at, item] of items.entries()) byItem.set(item, answers[at]!);
      return [`${seed}`, byItem] as const;
    });
  return {
    isScore,
    hasGroups: people !== null,
    groups: new Map(items.map((item, at) => [item, people === null ? item : `person ${set.owners[at]}`])),
    arms: new Map(accuracies.map((accuracy, arm) => ['abc'.charAt(arm), new Map(answer(accuracy))])),
  };
}

/** A published mean of some trainings. */
export interface Publication {
  readonly value: number;
  /** Standard deviation between them; 0 of one. */
  readonly deviation: number;
  /** Standard error of the test set. */
  readonly error: number;
}

export function publish(
  accuracy: number,
  trainings: number,
  set: TestSet,
  design: Design,
  random: Random,
): Publication {
  const answers = train(accuracy, trainings, set, design, random);
  const means = answers.map((row) => average(row));
  const clusters = Array.from({ length: set.count }, () => ({ count: 0, sum: 0 }));
  for (const [item, owner] of set.owners.entries()) {
    clusters[owner]!.count += 1;
    clusters[owner]!.sum += average(answers.map((row) => row[item]!));
  }
  const { mean: value, spread } = clusterMean(clusters);
  const squares = means.reduce((sum, mean) => sum + (mean - value) ** 2, 0);
  return {
    value,
    deviation: Math.sqrt(squares / Math.max(1, trainings - 1)),
    error: spread?.error ?? 0,
  };
}

export function average(values: ArrayLike<number>): number {
  let sum = 0;
  for (let at = 0; at < values.length; at++) sum += values[at]!;
  return sum / values.length;
}
