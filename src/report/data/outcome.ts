import { DIFFERENCE_LEVEL } from '../../results/stats/contrasts.ts';
import { binomialUpperTail } from '../../results/stats/distributions.ts';
import {
  clusterMeanInterval,
  meanInterval,
  pairedTTest,
  type Summary,
  summarise,
} from '../../results/stats/means.ts';
import {
  countDiscordant,
  type Discordance,
  holmAdjust,
  mcnemarTest,
  signFlipTest,
} from '../../results/stats/p-values.ts';
import { type Interval, pairedDifference, wilsonInterval } from '../../results/stats/proportions.ts';
import { hasFolds } from '../../results/thesis/published.ts';
import { spellCount } from './format.ts';
import type { ModelResult, Results, RunResult } from './results.ts';

/** One kind of accuracy of a model, over its seeds. */
export interface Accuracy extends Summary {
  readonly clips: number;
  /** The epoch it was measured at, for each seed. */
  readonly epochs: readonly number[];
  readonly values: readonly number[];
  /** 95 % Wilson interval of the mean. A clip that several seeds see counts once: it reflects the choice of clips, not of seed. */
  readonly interval: Interval;
  /** Null with fewer than two users, if all have the same accuracy, and for maxima, for which no answers are stored. */
  readonly overUsers: UserInterval | null;
}

/** Student's 95 % interval over users. The clips of one person are alike, so the choice of people matters. */
interface UserInterval extends Interval {
  readonly users: number;
}

/** A model's accuracies, for two ways of choosing the epoch. */
export interface Outcome {
  readonly model: ModelResult;
  /** At the epoch of the checkpoint: chosen by validation, independently of the test clips, unless a switch selects otherwise. */
  readonly chosen: Accuracies;
  /** The maximum over all epochs, as in the thesis: chosen on the same clips that it is measured on. */
  readonly maximum: Accuracies;
}

interface Accuracies {
  readonly test: Accuracy;
  /** Null if some run held no clips back for validation. */
  readonly validation: Accuracy | null;
}

export function summariseModels(results: Results): Outcome[] {
  return results.models.map((model) => {
    const { runs } = model;
    return {
      model,
      chosen: {
        test: { ...summariseTests(model, scoreOf), overUsers: intervalOverUsers(model) },
        validation: summarisePresent(
          runs.map(({ validation, chosenEpoch: epoch }) => validation && { ...validation, epoch }),
        ),
      },
      maximum: {
        test: summariseTests(model, ({ maximum }) => maximum.test),
        validation: summarisePresent(
          runs.map(({ maximum: { validation: best }, validation }) => {
            return best && validation && { ...best, clips: validation.clips };
          }),
        ),
      },
    };
  });
}

/** Accuracies of guessing, which a model has to beat. */
export interface Guessing {
  /** Of drawing a class at random. */
  readonly chance: number;
  /** Of always answering with the class that has the most test clips. */
  readonly constant: { readonly answer: string; readonly accuracy: number };
}

export function measureGuessing({ classes, models }: Results): Guessing {
  const clips = classes.map((_, label) =>
    (models[0]?.runs ?? []).flatMap(({ confusion }) => confusion[label] ?? []).reduce((a, b) => a + b, 0),
  );
  const most = clips.reduce((best, count, index) => (count > (clips[best] ?? 0) ? index : best), 0);
  const all = clips.reduce((sum, count) => sum + count, 0);
  return {
    chance: 1 / classes.length,
    constant: { answer: classes[most] ?? '', accuracy: (clips[most] ?? 0) / Math.max(all, 1) },
  };
}

/**
 * The probability that the better way of guessing gets at least as many test clips right as a model at its chosen epoch. With several
 * seeds, this uses the mean accuracy, and counts each clip once.
 */
export function probabilityByGuessing({ chosen: { test } }: Outcome, guessing: Guessing): number {
  const bar = Math.max(guessing.chance, guessing.constant.accuracy);
  return binomialUpperTail(test.mean * test.clips, test.clips, bar);
}

/** The probability outside one side of a 95 % interval. */
export const CLEARLY = 0.025;

/** The models that are not clearly better than guessing. Among many, some would pass by chance, so they share the level (Bonferroni). */
export function listGuessers(
  results: Results,
  outcomes: readonly Outcome[] = summariseModels(results),
): Outcome[] {
  const guessing = measureGuessing(results);
  return outcomes.filter((one) => probabilityByGuessing(one, guessing) > CLEARLY / outcomes.length);
}

interface Measured {
  readonly accuracy: number;
  readonly clips: number;
  readonly epoch: number;
}

/** A clip counts by how many of the seeds get it right. */
function intervalOverUsers({ runs }: ModelResult): UserInterval | null {
  const users = new Map<number, { count: number; sum: number }>();
  for (const { answers } of runs) {
    for (const { user, right } of answers) {
      if (user === null) return null;
      const { count, sum } = users.get(user) ?? { count: 0, sum: 0 };
      users.set(user, { count: count + 1, sum: sum + Number(right) });
    }
  }
  if (users.size < 2) return null;
  const interval = clusterMeanInterval([...users.values()]);
  if (interval === null) return null;
  return { low: Math.max(0, interval.low), high: Math.min(1, interval.high), users: users.size };
}

function summarisePresent(runs: readonly (Measured | null)[]): Accuracy | null {
  const present = runs.filter((run) => run !== null);
  return present.length === runs.length ? summariseAccuracy(present) : null;
}

/** What a run reaches on the test clips at its chosen epoch. */
export function scoreOf({ test, chosenEpoch: epoch }: RunResult) {
  return { accuracy: test.accuracy, epoch };
}

/** The accuracy of all runs together on the clips that they test. */
export function summariseTests(
  model: ModelResult,
  score: (run: RunResult) => Omit<Measured, 'clips'>,
): Accuracy {
  const runs = model.runs.map((run) => ({ ...score(run), clips: run.test.clips }));
  return summariseAccuracy(runs, countTested(model));
}

/** How many clips some seed tested: with folds of users, more than any of them. */
function countTested({ runs }: ModelResult): number {
  if (runs[0]?.testUsers === undefined) return runs[0]?.test.clips ?? 0;
  return new Set(runs.flatMap(({ answers }) => answers.map(({ clip }) => clip))).size;
}

/**
 * @param runs at least one; where folds have different numbers of clips, the mean is over the clips
 * @param clips of the interval: how many different ones there are, or as few as one of the runs has
 */
function summariseAccuracy(
  runs: readonly Measured[],
  clips = Math.min(...runs.map((run) => run.clips)),
): Accuracy {
  const values = runs.map(({ accuracy }) => accuracy);
  const summary = summarise(values);
  const total = (of: (run: Measured) => number) => runs.reduce((sum, run) => sum + of(run), 0);
  const isEven = runs.every((run) => run.clips === runs[0]?.clips);
  const mean = isEven ? summary.mean : total((run) => run.accuracy * run.clips) / total((run) => run.clips);
  return {
    ...summary,
    mean,
    clips,
    epochs: runs.map(({ epoch }) => epoch),
    values,
    interval: wilsonInterval(mean * clips, clips),
    overUsers: null,
  };
}

/** The fewest seeds for which an interval of their mean is useful: with two, it is 13 standard errors wide on each side. */
export const SEEDS_FOR_INTERVAL = 3;

/** How much more accurate a model is than the first one, on the test clips at the chosen epochs. */
export interface ModelDifference {
  readonly model: ModelResult;
  /** A share, of the model minus the first. */
  readonly difference: number;
  /** The 95 % interval, not corrected for the number of models; null if all seeds, or all clips, differ by the same. */
  readonly low: number | null;
  readonly high: number | null;
  /** Two-sided; null without a test, as above. */
  readonly p: number | null;
  /** Holm-corrected for the number of models, including those without a test. */
  readonly adjusted: number | null;
  /** The clips on which only one of the two is right; null if there are several seeds. */
  readonly discordance: Discordance | null;
}

/**
 * Compares every model with the first. With one seed, clip by clip: exact McNemar test, Agresti and Min's interval. With two, also clip by
 * clip, where a clip counts by how many seeds get it right: exact sign-flip test (for one seed, McNemar's) and Student's interval. With three
 * or more, seed by seed: paired t test, Student's interval. The difference is always between the mean accuracies.
 *
 * @returns none with folds of users, whose seeds differ by their people, too
 */
export function compareModels({ models }: Pick<Results, 'models'>): ModelDifference[] {
  const [first, ...others] = models;
  if (first === undefined || hasFolds({ models })) return [];
  const compare = isBySeed(first) ? compareSeeds : first.runs.length > 1 ? compareMeans : compareClips;
  const compared = others.map((model) => ({ model, ...compare(first, model) }));
  const adjusted = holmAdjust(compared.map(({ p }) => p ?? 1));
  return compared.map((one, i) => ({ ...one, adjusted: one.p === null ? null : (adjusted[i] ?? null) }));
}

export function isSignificant({ adjusted }: ModelDifference): boolean {
  return adjusted !== null && adjusted <= DIFFERENCE_LEVEL;
}

/** With enough seeds, models are compared over seeds, not over clips. */
export function isBySeed({ runs }: ModelResult): boolean {
  return runs.length >= SEEDS_FOR_INTERVAL;
}

/** `exact McNemar test`: how {@link compareModels} compares with this model. */
export function nameTest(first: ModelResult): string {
  const seeds = first.runs.length;
  if (isBySeed(first)) return `paired t test over ${spellCount(seeds)} seeds`;
  return seeds > 1
    ? `exact sign-flip test of the means over ${spellCount(seeds)} seeds, clip by clip`
    : 'exact McNemar test clip by clip';
}

type Comparison = Omit<ModelDifference, 'model' | 'adjusted'>;

function compareClips(first: ModelResult, other: ModelResult): Comparison {
  const rightOf = ({ runs }: ModelResult) => (runs[0]?.answers ?? []).map(({ right }) => right);
  const discordance = countDiscordant(rightOf(other), rightOf(first));
  return { ...pairedDifference(discordance), p: mcnemarTest(discordance), discordance };
}

function compareMeans(first: ModelResult, other: ModelResult): Comparison {
  const { mean, low, high } = meanInterval(pairedDifferences(first, other));
  const seeds = first.runs.length;
  const sums = pairedDifferences(first, other).map((difference) => Math.round(difference * seeds));
  const better = mean < 0 ? sums.map((sum) => -sum) : sums;
  const p = low === null ? null : Math.min(1, 2 * signFlipTest(better));
  return { difference: mean, low, high, p, discordance: null };
}

function compareSeeds(first: ModelResult, other: ModelResult): Comparison {
  const { mean, low, high, p } = pairedTTest(pairedDifferences(first, other));
  return { difference: mean, low, high, p, discordance: null };
}

/** How much more accurate the other model is: for each seed, or with too few seeds, for each clip on average over the seeds. */
export function pairedDifferences(first: ModelResult, other: ModelResult): number[] {
  const [ours, theirs] = isBySeed(first)
    ? [first, other].map(({ runs }) => runs.map(({ test }) => test.accuracy))
    : [first, other].map(shareRight);
  if (ours === undefined || theirs?.length !== ours.length) {
    throw new RangeError(`the same clips are needed, not ${ours?.length} and ${theirs?.length}`);
  }
  return theirs.map((value, i) => value - (ours[i] ?? 0));
}

/** Of each clip, the share of the seeds that get it right. */
function shareRight({ runs }: ModelResult): number[] {
  const answers = runs.map((run) => run.answers);
  return (answers[0] ?? []).map(
    (_, clip) => answers.filter((ofRun) => ofRun[clip]?.right === true).length / runs.length,
  );
}
