import * as v from 'valibot';
import { count, number, numbers, share, type Value } from '../base/files/shape.ts';
import { formatJson, type ResultFile, readResult, refuse } from './result-file.ts';
import { maximaShape, SELECTIONS, testUsersShape } from './run-file.ts';

const version = 2;

const score = v.pipe(
  v.object({
    clips: count,
    correct: count,
    /** The share of clips classified correctly, 0 to 1. */
    accuracy: share,
    /** Mean squared error against one-hot labels over clips and classes: of the firing rates, or with `loss: step` of each step's outputs. */
    loss: number,
  }),
  v.check(({ clips }) => clips > 0, 'has 0 clips: a model cannot be judged without clips'),
  v.check(
    ({ clips, correct }) => correct <= clips,
    ({ input: { clips, correct } }) => `has ${correct} right of ${clips} clips`,
  ),
  // Intervals use the counts.
  v.check(
    ({ clips, correct, accuracy }) => Math.abs(accuracy * clips - correct) <= 0.5,
    ({ input: { clips, correct, accuracy } }) =>
      `has accuracy ${accuracy}, but ${correct} of ${clips} clips is ${correct / clips}`,
  ),
  v.transform((found) => ({ ...found, accuracy: found.correct / found.clips })),
);

/** How well some clips were classified. */
export type Score = Value<typeof score>;

/** Other orders of a clip's frames than their own: back to front, at random, or each frame replaced by the clip's mean frame. */
export const FRAME_ORDERS = ['reversed', 'shuffled', 'mean'] as const;

export type FrameOrder = (typeof FRAME_ORDERS)[number];

/** What a trained network's τ are changed to, to see whether it uses them: docs/training.md. */
export const TAU_CHANGES = [
  'layer-mean',
  'permuted',
  'permuted-gain-kept',
  'permuted-in-channel',
  'jittered',
] as const;

export type TauChange = (typeof TAU_CHANGES)[number];

const answered = v.intersect([
  score,
  /** The clips that were answered wrong, by their rows as in predictions.csv, ascending. */
  v.object({ wrong: v.array(count) }),
]);

/** How well the test clips were classified, and which of them were not. */
export type Answered = Value<typeof answered>;

const shape = v.object({
  model: v.string(),
  title: v.string(),
  seed: count,
  dataset: v.string(),
  simulated: v.boolean(),
  classes: v.array(v.string()),
  ...testUsersShape,
  /** The chosen epoch, from 0, and how it was chosen. */
  checkpoint: v.object({ selection: v.picklist(SELECTIONS), epoch: count }),
  test: score,
  /** Null if no clips are held back. */
  validation: v.nullish(score, null),
  /** The share of neurons that spike per step, one number per spiking layer: the mean over the clips. */
  spikeRates: v.object({ test: numbers, validation: v.nullish(numbers, null) }),
  /** On the test clips (docs/cost.md). Operations are means per clip, null if the engine does not count. */
  cost: v.object({
    footprintBytes: count,
    activationSparsity: share,
    denseOperations: count,
    effectiveMacs: v.nullish(number, null),
    effectiveAcs: v.nullish(number, null),
  }),
  maximum: maximaShape,
  /** Test clips by [true class][predicted class]. */
  confusion: v.array(v.array(count)),
  /** Test clips whose class has the most votes up to each time step, [T]. */
  correctByStep: v.array(count),
  /** The test clips again, with their frames in other orders: those that the profile asks for. */
  orders: v.exactOptional(
    v.object({
      reversed: v.exactOptional(score),
      shuffled: v.exactOptional(score),
      mean: v.exactOptional(score),
    }),
  ),
  /**
   * The test clips again, by the network with τ as learned and changed as the profile asks, with batch norm's running statistics as trained and
   * estimated again. Empty if it has no τ that differ within a layer.
   */
  tau: v.exactOptional(
    v.record(v.picklist(['unchanged', ...TAU_CHANGES]), v.object({ asTrained: answered, again: answered })),
  ),
});

/** evaluation.json: the results of a trained model's chosen epoch. */
export type EvaluationFile = Value<typeof shape>;

export function formatEvaluation(evaluation: EvaluationFile): string {
  return formatJson({ version, ...evaluation });
}

/** @throws {ReproError} `results-invalid` naming the field */
export function readEvaluation(from: ResultFile): EvaluationFile {
  const evaluation = readResult(from, shape, version);
  const { test, correctByStep } = evaluation;
  if (correctByStep.at(-1) !== test.correct)
    refuse(
      from,
      `field "correctByStep" ends with ${correctByStep.at(-1)}, but "test.correct" is ${test.correct}`,
    );
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
