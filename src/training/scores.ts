import type { Forward } from '../network/engines/engine.ts';
import type { NetworkSpec } from '../network/spec.ts';
import type { Score } from '../results/evaluation-file.ts';
import { COMPAT_DEFAULTS, type Compat } from '../results/thesis/compat.ts';

/** The switches that decide how clips are scored. */
export type ScoringCompat = Pick<Compat, 'loss' | 'ties'>;

/** What scores need to know of a network and of the switches. */
export interface Scoring extends ScoringCompat {
  readonly classes: number;
  /** Output neurons of each class; null if outputs are any numbers instead of shares of neurons. */
  readonly votes: number | null;
}

type ClassOutputs = Pick<Forward, 'rates' | 'outputs'>;

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
 * - `first`: the first class. Outputs become counts again, so that no engine's rounding matters;
 * - `rounding`: as the original, which adds up each step's mean of the votes in single precision and takes the first of the highest sums.
 *
 * @param training the original compares sums in evaluation, but sums divided by T in training
 */
export function predictClasses(
  { rates, outputs }: ClassOutputs,
  scoring: Scoring,
  training = false,
): Int32Array {
  const { classes, ties } = scoring;
  const steps = outputs.length / rates.length;
  return Int32Array.from({ length: rates.length / classes }, (_, clip) => {
    const scores = new Array<number>(classes).fill(0);
    for (let step = 0; step < steps; step++) addVotes(scores, outputs, clip * steps + step, scoring);
    return firstHighest(
      training && ties === 'rounding' ? scores.map((sum) => Math.fround(sum / steps)) : scores,
    );
  });
}

/** Adds the votes of one row of `outputs`, which is one step of one clip, to the scores of the classes. */
function addVotes(
  scores: number[],
  outputs: Float32Array,
  row: number,
  { classes, votes, ties }: Scoring,
): void {
  for (let c = 0; c < classes; c++) {
    if (votes === null) {
      scores[c] = scores[c]! + outputs[row * classes + c]!;
      continue;
    }
    const count = Math.round(outputs[row * classes + c]! * votes);
    scores[c] = ties === 'first' ? scores[c]! + count : Math.fround(scores[c]! + Math.fround(count / votes));
  }
}

function firstHighest(scores: readonly number[]): number {
  return scores.indexOf(Math.max(...scores));
}

/**
 * Clips whose class has the most votes up to each step, [T], with ties as in `predictClasses` in evaluation. The last is the number of
 * correct clips.
 */
export function countCorrectByStep(
  { rates, outputs }: ClassOutputs,
  labels: Int32Array,
  scoring: Scoring,
): number[] {
  const steps = outputs.length / rates.length;
  const correct = new Array<number>(steps).fill(0);
  labels.forEach((label, clip) => {
    const scores = new Array<number>(scoring.classes).fill(0);
    for (let step = 0; step < steps; step++) {
      addVotes(scores, outputs, clip * steps + step, scoring);
      if (firstHighest(scores) === label) correct[step]! += 1;
    }
  });
  return correct;
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
    matrix[label]![predicted[clip]!]! += 1;
  });
  return matrix;
}
