import { binomialUpperTail } from '../../verdicts/stats/distributions.ts';
import { clusterMeanInterval, type Summary, summarise } from '../../verdicts/stats/means.ts';
import { type Interval, wilsonInterval } from '../../verdicts/stats/proportions.ts';
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
