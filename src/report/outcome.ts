import { binomialUpperTail } from '../stats/binomial.ts';
import { clusterMeanInterval } from '../stats/cluster-mean.ts';
import { type Summary, summarise } from '../stats/summary.ts';
import { type Interval, wilsonInterval } from '../stats/wilson.ts';
import type { ModelResult, Results } from './results.ts';

/** One kind of accuracy of a model, over its seeds. */
export interface Accuracy extends Summary {
  /** The number of clips, the same for every seed. */
  readonly clips: number;
  /** The epoch it was measured at, for each seed. */
  readonly epochs: readonly number[];
  /** The values, in the order of the seeds. */
  readonly values: readonly number[];
  /**
   * 95 % Wilson interval of the mean. Every seed sees the same clips, so they count once: the interval is as wide as for a
   * single run, and reflects the choice of clips, not the choice of seed.
   */
  readonly interval: Interval;
  /**
   * Null without at least two users, if all have the same accuracy, and for maxima, whose answers clip by clip are not kept.
   */
  readonly overUsers: UserInterval | null;
}

/** Student's 95 % interval over users: how much the choice of people matters, whose clips are alike. */
export interface UserInterval extends Interval {
  readonly users: number;
}

/** A model's accuracies, for two ways of choosing the epoch. */
export interface Outcome {
  readonly model: ModelResult;
  /** At the epoch of the checkpoint: chosen by validation, independently of the test clips, unless a switch selects otherwise. */
  readonly chosen: { readonly test: Accuracy; readonly validation: Accuracy };
  /** The maximum over all epochs, as in the thesis: chosen on the same clips that it is measured on. */
  readonly maximum: { readonly test: Accuracy; readonly validation: Accuracy };
}

export function judgeModels(results: Results): Outcome[] {
  return results.models.map((model) => ({
    model,
    chosen: { test: chosenAccuracy(model, 'test'), validation: chosenAccuracy(model, 'validation') },
    maximum: { test: maximumAccuracy(model, 'test'), validation: maximumAccuracy(model, 'validation') },
  }));
}

/** Accuracies without any training, which a model has to beat. */
export interface Guessing {
  /** Of drawing a class at random. */
  readonly chance: number;
  /** Of always answering with the class that has the most test clips. */
  readonly constant: { readonly answer: string; readonly accuracy: number };
}

export function judgeGuessing({ classes, models }: Results): Guessing {
  const clips = (models[0]?.runs[0]?.confusion ?? []).map((row) =>
    row.reduce((sum, count) => sum + count, 0),
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

function chosenAccuracy(model: ModelResult, split: 'test' | 'validation'): Accuracy {
  const accuracy = summariseAccuracy(
    model.runs.map((run) => ({
      value: run[split].accuracy,
      clips: run[split].clips,
      epoch: run.chosenEpoch,
    })),
  );
  return split === 'test' ? { ...accuracy, overUsers: intervalOverUsers(model) } : accuracy;
}

/** A clip counts by how many of the seeds get it right. */
function intervalOverUsers({ runs }: ModelResult): UserInterval | null {
  const users = new Map<string, { count: number; sum: number }>();
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

function maximumAccuracy(model: ModelResult, split: 'test' | 'validation'): Accuracy {
  return summariseAccuracy(
    model.runs.map((run) => ({
      value: run.maximum[split].accuracy,
      clips: run[split].clips,
      epoch: run.maximum[split].epoch,
    })),
  );
}

function summariseAccuracy(runs: readonly { value: number; clips: number; epoch: number }[]): Accuracy {
  const values = runs.map(({ value }) => value);
  const clips = runs[0]?.clips ?? 0;
  const summary = summarise(values);
  return {
    ...summary,
    clips,
    epochs: runs.map(({ epoch }) => epoch),
    values,
    interval: wilsonInterval(summary.mean * clips, clips),
    overUsers: null,
  };
}
