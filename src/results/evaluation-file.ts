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
  orNull,
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

const shape = {
  model: text,
  title: text,
  seed: count,
  dataset: text,
  simulated: flag,
  classes: texts,
  /** The chosen epoch, from 0, and how it was chosen. */
  checkpoint: object({ selection: choice(SELECTIONS), epoch: count }),
  test: object(scoreShape),
  /** Null if no clips are held back. */
  validation: orNull(object(scoreShape)),
  /** The share of neurons that spike per step, one number per spiking layer: the mean over the clips. */
  spikeRates: object({ test: numbers, validation: orNull(numbers) }),
  maximum: object(maximaShape),
  /** Test clips by [true class][predicted class]. */
  confusion: (fields: Fields, name: string): readonly (readonly number[])[] =>
    fields.squareMatrix(name, { min: 0, integer: true }),
};

/** evaluation.json: the results of a trained model's chosen epoch. */
export type EvaluationFile = Value<typeof shape>;

export function formatEvaluation(evaluation: EvaluationFile): string {
  return formatJson({ version, ...evaluation });
}

/** @throws {ReproError} `results-invalid` naming the field */
export function readEvaluation(from: ResultFile): EvaluationFile {
  return readShape(parseResult(from, version), shape);
}
