import type { Fields } from '../formats/fields.ts';
import { formatJson, parseResult, type ResultFile } from './result-file.ts';
import { maximaShape, SELECTIONS } from './run-file.ts';
import {
  choice,
  count,
  flag,
  number,
  numbers,
  object,
  optional,
  orNull,
  type Read,
  readShape,
  share,
  text,
  texts,
  type Value,
} from './shape.ts';

const version = 2;

const scoreShape = {
  clips: count,
  correct: count,
  /** The share of clips classified correctly, 0 to 1. */
  accuracy: share,
  /** Mean squared error against one-hot labels over clips and classes: of the firing rates, or with `loss: step` of each step's outputs. */
  loss: number,
};

/** How well some clips were classified. */
export type Score = Value<typeof scoreShape>;

const score: Read<Score> = (parent, name) => {
  const fields = parent.object(name);
  const { clips, correct, accuracy, loss } = readShape(fields, scoreShape);
  if (clips === 0) fields.fail('clips', 'is 0: a model cannot be judged without clips');
  if (correct > clips) fields.fail('correct', `is ${correct}, more than the ${clips} clips`);
  // Intervals use the counts.
  if (Math.abs(accuracy * clips - correct) > 0.5)
    fields.fail('accuracy', `is ${accuracy}, but ${correct} of ${clips} clips is ${correct / clips}`);
  return { clips, correct, accuracy: correct / clips, loss };
};

/** Other orders of a clip's frames than their own: back to front, at random, or each frame replaced by the clip's mean frame. */
export const FRAME_ORDERS = ['reversed', 'shuffled', 'mean'] as const;

export type FrameOrder = (typeof FRAME_ORDERS)[number];

const shape = {
  model: text,
  title: text,
  seed: count,
  dataset: text,
  simulated: flag,
  classes: texts,
  /** The chosen epoch, from 0, and how it was chosen. */
  checkpoint: object({ selection: choice(SELECTIONS), epoch: count }),
  test: score,
  /** Null if no clips are held back. */
  validation: orNull(score),
  /** The share of neurons that spike per step, one number per spiking layer: the mean over the clips. */
  spikeRates: object({ test: numbers, validation: orNull(numbers) }),
  /** On the test clips (docs/cost.md); not in files of earlier versions. Operations are means per clip, null if the engine does not count. */
  cost: optional(
    object({
      footprintBytes: count,
      activationSparsity: share,
      denseOperations: count,
      effectiveMacs: orNull(number),
      effectiveAcs: orNull(number),
    }),
  ),
  maximum: object(maximaShape),
  /** Test clips by [true class][predicted class]. */
  confusion: (fields: Fields, name: string): readonly (readonly number[])[] =>
    fields.squareMatrix(name, { min: 0, integer: true }),
  /** Test clips whose class has the most votes up to each time step, [T]; missing in files of earlier versions of this program. */
  correctByStep: optional<readonly number[]>((fields, name) =>
    fields.numbers(name, { min: 0, integer: true }),
  ),
  /** The test clips again, with their frames in other orders: those that the profile asks for. */
  orders: optional(object({ reversed: optional(score), shuffled: optional(score), mean: optional(score) })),
};

/** evaluation.json: the results of a trained model's chosen epoch. */
export type EvaluationFile = Value<typeof shape>;

export function formatEvaluation(evaluation: EvaluationFile): string {
  return formatJson({ version, ...evaluation });
}

/** @throws {ReproError} `results-invalid` naming the field */
export function readEvaluation(from: ResultFile): EvaluationFile {
  const fields = parseResult(from, version);
  const evaluation = readShape(fields, shape);
  const { test, correctByStep } = evaluation;
  if (correctByStep !== undefined && correctByStep.at(-1) !== test.correct)
    fields.fail('correctByStep', `ends with ${correctByStep.at(-1)}, but "test.correct" is ${test.correct}`);
  return evaluation;
}

/**
 * How many steps a clip needs for its right answer, as a mean over the clips that have it in the end: `1 + Σ (1 − correct(t) / correct(T))`
 * over the steps t before the last, T, with nothing to add where more are right. A clip counts as if it kept the right answer once it has
 * it. All clips weigh alike, so one of them changes little. T if none is right.
 *
 * @param correctByStep clips answered right up to each step, [T]
 */
export function countStepsToAnswer(correctByStep: readonly number[]): number {
  const final = correctByStep.at(-1) ?? 0;
  if (final === 0) return correctByStep.length;
  return correctByStep.reduce((steps, correct) => steps + Math.max(0, 1 - correct / final), 1);
}
