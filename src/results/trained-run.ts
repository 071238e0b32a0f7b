import { type NetworkSpec, spikingLayers } from '../network/spec.ts';
import { type EvaluationFile, readEvaluation } from './evaluation-file.ts';
import { type EpochRow, readMetrics } from './metrics.ts';
import { readTestAnswers, type TestAnswer } from './predictions.ts';
import { type ResultFile, refuse } from './result-file.ts';
import { networkOfRunFile, type RunFile, readRun } from './run-file.ts';

/** The files that tell of a training and its evaluation. */
export type RunFiles = Readonly<Record<'run' | 'metrics' | 'evaluation' | 'predictions', ResultFile>>;

/** A training and its evaluation, whose files agree with each other. */
interface TrainedRun {
  readonly run: RunFile;
  readonly spec: NetworkSpec;
  /** By epoch, with the layers of `spec`. */
  readonly epochs: readonly EpochRow[];
  readonly evaluation: EvaluationFile;
  /** The row of the chosen epoch. */
  readonly chosen: EpochRow;
  /** In the order of the clips' rows. */
  readonly answers: readonly TestAnswer[];
}

/** Whose results a folder must hold. */
export interface RunIdentity {
  readonly model: string;
  readonly seed: number;
}

/**
 * What the files of a training and its evaluation say.
 *
 * @throws {ReproError} `results-invalid` naming the file and the field or line, and the command that makes it again; also if the files
 *   contradict each other or are of another model or seed
 */
export function readTrainedRun(files: RunFiles, of: RunIdentity): TrainedRun {
  const { run: runFile, metrics, evaluation: evaluationFile, predictions } = files;
  const run = readRun(runFile);
  const evaluation = readEvaluation(evaluationFile);
  requireOwn(runFile, { model: run.model.id, seed: run.seed }, of);
  requireOwn(evaluationFile, evaluation, of);
  const spec = networkOfRunFile(runFile, run);
  const epochs = readMetrics(metrics);
  const answers = readTestAnswers(predictions);
  requireSameAnswers(evaluationFile, evaluation, answers);
  const chosen = epochs[evaluation.checkpoint.epoch];
  if (chosen === undefined) {
    const problem = `field "checkpoint.epoch" is ${evaluation.checkpoint.epoch}, but metrics.csv ends with ${epochs.length - 1}`;
    return refuse(evaluationFile, problem);
  }
  const [layers, found] = [spikingLayers(spec).length, chosen.layers.length];
  if (found !== layers) refuse(metrics, `has ${found} spiking layers, but the network of run.json ${layers}`);
  const rates = evaluation.spikeRates.test.length;
  if (rates !== layers)
    refuse(
      evaluationFile,
      `field "spikeRates" is of ${rates} spiking layers, but the network of run.json has ${layers}`,
    );
  return { run, spec, epochs, evaluation, chosen, answers };
}

function requireOwn(from: ResultFile, found: RunIdentity, { model, seed }: RunIdentity): void {
  if (found.model !== model)
    refuse(from, `field "model" is "${found.model}", but its folder is for model "${model}"`);
  if (found.seed !== seed) refuse(from, `field "seed" is ${found.seed}, but its folder is for seed ${seed}`);
}

function requireSameAnswers(
  from: ResultFile,
  { test, classes, confusion }: EvaluationFile,
  answers: readonly TestAnswer[],
): void {
  const right = answers.filter((answer) => answer.predicted === answer.class).length;
  if (answers.length !== test.clips || right !== test.correct) {
    const given = `${right} of ${answers.length}`;
    refuse(
      from,
      `field "test" has ${test.correct} of ${test.clips} clips right, but predictions.csv ${given}`,
    );
  }
  const counted = classes.map(() => classes.map(() => 0));
  for (const answer of answers) {
    const row = counted[answer.class] ?? [];
    row[answer.predicted] = (row[answer.predicted] ?? 0) + 1;
  }
  if (JSON.stringify(confusion) !== JSON.stringify(counted))
    refuse(from, 'field "confusion" is not what predictions.csv gives');
}
