import type { Forward } from '../engines/engine.ts';
import type { Score } from '../results/evaluation-file.ts';
import type { NetworkSpec } from '../snn/spec.ts';
import { COMPAT_DEFAULTS, type Compat } from '../thesis/compat.ts';

/** The switches that decide how clips are scored. */
export type ScoringCompat = Pick<Compat, 'loss' | 'ties'>;

/** What scores need to know of a network and of the switches. */
export interface Scoring extends ScoringCompat {
  readonly classes: number;
  /** Output neurons of each class. */
  readonly votes: number;
}

export type ClassOutputs = Pick<Forward, 'rates' | 'outputs'>;

export function scoringOf(
  { classes, layers }: NetworkSpec,
  { loss, ties }: ScoringCompat = COMPAT_DEFAULTS,
): Scoring {
  const vote = layers.at(-1);
  return { classes, votes: vote?.kind === 'vote' ? vote.group : 1, loss, ties };
}

/**
 * The class for which most output neurons spiked in each clip. Of ties:
 *
 * - `first`: the first class. Rates become counts again, so that no engine's rounding matters;
 * - `rounding`: as the original, which adds up each step's mean of the votes in single precision and takes the first of the highest sums.
 *
 * @param training the original compares sums in evaluation, but sums divided by T in training
 */
export function predictClasses(
  { rates, outputs }: ClassOutputs,
  { classes, votes, ties }: Scoring,
  training = false,
): Int32Array {
  const steps = outputs.length / rates.length;
  const scoreOf = (clip: number, c: number): number => {
    if (ties === 'first') return Math.round(rates[clip * classes + c]! * steps * votes);
    let sum = 0;
    for (let step = 0; step < steps; step++) {
      const count = Math.round(outputs[(clip * steps + step) * classes + c]! * votes);
      sum = Math.fround(sum + Math.fround(count / votes));
    }
    return training ? Math.fround(sum / steps) : sum;
  };
  return Int32Array.from({ length: rates.length / classes }, (_, clip) => {
    const scores = Array.from({ length: classes }, (_, c) => scoreOf(clip, c));
    return scores.indexOf(Math.max(...scores));
  });
}

export function countCorrect(predicted: Int32Array, labels: Int32Array): number {
  return predicted.reduce((correct, label, clip) => correct + (label === labels[clip] ? 1 : 0), 0);
}

/** @param predicted by `predictClasses` */
export function scoreClips(
  { rates, outputs }: ClassOutputs,
  predicted: Int32Array,
  labels: Int32Array,
  { classes, loss }: Scoring,
): Score {
  const clips = labels.length;
  const correct = countCorrect(predicted, labels);
  const values = loss === 'step' ? outputs : rates;
  const perClip = values.length / clips;
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    const target = i % classes === labels[Math.floor(i / perClip)] ? 1 : 0;
    squares += (values[i]! - target) ** 2;
  }
  return { clips, correct, accuracy: correct / clips, loss: squares / values.length };
}

/** Counts of clips by [true class][predicted class]. */
export function confusionMatrix(predicted: Int32Array, labels: Int32Array, classes: number): number[][] {
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  labels.forEach((label, clip) => {
    const row = matrix[label];
    const column = predicted[clip];
    if (row?.[column ?? -1] === undefined || column === undefined) {
      throw new RangeError(`clip ${clip}: class ${label} predicted as ${column}, of ${classes} classes`);
    }
    row[column] = row[column]! + 1;
  });
  return matrix;
}
