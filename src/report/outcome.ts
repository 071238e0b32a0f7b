import { binomialUpperTail } from '../stats/binomial.ts';
import { type Summary, summarise } from '../stats/summary.ts';
import { type Interval, wilsonInterval } from '../stats/wilson.ts';
import type { ModelResult, Results } from './results.ts';

/** One accuracy of a model, over its seeds. */
export interface Accuracy extends Summary {
  /** Clips that it is a share of, the same for every seed. */
  readonly clips: number;
  /** Epoch it was measured at, one a seed. */
  readonly epochs: readonly number[];
  /** One value a seed, in the order of the seeds. */
  readonly values: readonly number[];
  /**
   * 95 % Wilson interval of the mean. Every seed sees the same clips, so that they count once: the interval is as wide as
   * that of a single run, and says how far the choice of clips could have moved the figure, not the choice of seed.
   */
  readonly interval: Interval;
}

/** A model's accuracies, each at two choices of the epoch. */
export interface Outcome {
  readonly model: ModelResult;
  /** At the epoch of the checkpoint: chosen by validation, so that the test clips had no part in it, unless a run says otherwise. */
  readonly chosen: { readonly test: Accuracy; readonly validation: Accuracy };
  /** The maximum over all epochs, as the thesis reports it: chosen on the very clips it is measured on. */
  readonly maximum: { readonly test: Accuracy; readonly validation: Accuracy };
}

export function judgeModels(results: Results): Outcome[] {
  return results.models.map((model) => ({
    model,
    chosen: { test: chosenAccuracy(model, 'test'), validation: chosenAccuracy(model, 'validation') },
    maximum: { test: maximumAccuracy(model, 'test'), validation: maximumAccuracy(model, 'validation') },
  }));
}

/** What needs no training: the accuracies that a model has to beat. */
export interface Guessing {
  /** Of a class drawn at random, whatever the clips. */
  readonly chance: number;
  /** Of always answering the class with the most test clips. */
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
 * How probable it is that guessing, at its best, gets as many test clips right as a model at its chosen epoch. Over several seeds, the
 * mean counts, of the clips once.
 */
export function probabilityByGuessing({ chosen: { test } }: Outcome, guessing: Guessing): number {
  const bar = Math.max(guessing.chance, guessing.constant.accuracy);
  return binomialUpperTail(test.mean * test.clips, test.clips, bar);
}

function chosenAccuracy(model: ModelResult, split: 'test' | 'validation'): Accuracy {
  return summariseAccuracy(
    model.runs.map((run) => ({
      value: run[split].accuracy,
      clips: run[split].clips,
      epoch: run.chosenEpoch,
    })),
  );
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
  };
}
