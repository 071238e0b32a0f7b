import type { Fields } from '../formats/fields.ts';
import { formatJson, parseResult, type ResultFile } from './result-file.ts';
import { type Maxima, readMaxima, SELECTIONS, type Selection } from './run-file.ts';

const version = 2;

/** How well some clips were classified. */
export interface Score {
  readonly clips: number;
  readonly correct: number;
  /** The share of clips classified correctly, 0 to 1. */
  readonly accuracy: number;
  /** Mean squared error against one-hot labels over clips and classes: of the firing rates, or with `loss: step` of each step's outputs. */
  readonly loss: number;
}

/** evaluation.json: the results of a trained model's chosen epoch. */
export interface EvaluationFile {
  readonly model: string;
  readonly title: string;
  readonly seed: number;
  readonly dataset: string;
  readonly simulated: boolean;
  readonly classes: readonly string[];
  /** The chosen epoch, from 0, and how it was chosen. */
  readonly checkpoint: { readonly selection: Selection; readonly epoch: number };
  readonly test: Score;
  /** Null if no clips are held back. */
  readonly validation: Score | null;
  /** The share of neurons that spike per step, one number per spiking layer: the mean over the clips. */
  readonly spikeRates: { readonly test: readonly number[]; readonly validation: readonly number[] | null };
  readonly maximum: Maxima;
  /** Test clips by [true class][predicted class]. */
  readonly confusion: readonly (readonly number[])[];
}

export function formatEvaluation(evaluation: EvaluationFile): string {
  return formatJson({ version, ...evaluation });
}

/** @throws {ReproError} `results-invalid` naming the field; also if the file contradicts itself */
export function readEvaluation(from: ResultFile): EvaluationFile {
  const fields = parseResult(from, version);
  const checkpoint = fields.object('checkpoint');
  const rates = fields.object('spikeRates');
  const classes = fields.texts('classes');
  const test = readScore(fields.object('test'));
  return {
    model: fields.text('model'),
    title: fields.text('title'),
    seed: fields.count('seed'),
    dataset: fields.text('dataset'),
    simulated: fields.flag('simulated'),
    classes,
    checkpoint: {
      selection: checkpoint.choice('selection', SELECTIONS),
      epoch: checkpoint.count('epoch'),
    },
    test,
    validation: fields.has('validation') ? readScore(fields.object('validation')) : null,
    spikeRates: {
      test: rates.numbers('test'),
      validation: rates.has('validation') ? rates.numbers('validation') : null,
    },
    maximum: readMaxima(fields.object('maximum')),
    confusion: readConfusion(fields, classes.length, test),
  };
}

function readScore(fields: Fields): Score {
  const clips = fields.count('clips');
  const correct = fields.count('correct');
  if (clips === 0) fields.fail('clips', 'is 0: a model cannot be judged without clips');
  if (correct > clips) fields.fail('correct', `is ${correct}, more than the ${clips} clips`);
  const accuracy = fields.share('accuracy');
  // Intervals use the counts.
  if (Math.abs(accuracy * clips - correct) > 0.5) {
    fields.fail('accuracy', `is ${accuracy}, but ${correct} of ${clips} clips is ${correct / clips}`);
  }
  return { clips, correct, accuracy: correct / clips, loss: fields.number('loss') };
}

function readConfusion(fields: Fields, classes: number, test: Score): number[][] {
  const confusion = fields.squareMatrix('confusion', { min: 0, integer: true });
  if (confusion.length !== classes)
    fields.fail('confusion', `has ${confusion.length} rows for ${classes} classes`);
  const clips = confusion.flat().reduce((sum, count) => sum + count, 0);
  if (clips !== test.clips)
    fields.fail('confusion', `counts ${clips} clips, but the test split has ${test.clips}`);
  const correct = confusion.reduce((sum, row, index) => sum + (row[index] ?? 0), 0);
  if (correct !== test.correct) {
    fields.fail(
      'confusion',
      `has ${correct} clips on its diagonal, but field "test.correct" is ${test.correct}`,
    );
  }
  return confusion;
}
