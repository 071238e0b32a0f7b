import { join } from 'node:path';
import { hashText } from '../../files/canonical-json.ts';
import { type EvaluationFile, readEvaluation } from '../../results/evaluation-file.ts';
import { type EpochRow, readMetrics } from '../../results/metrics.ts';
import { readTestAnswers } from '../../results/predictions.ts';
import { type ResultFile, readResultBytes, readResultFile, refuse } from '../../results/result-file.ts';
import { type Maxima, type Maximum, networkOf, readRun, type Selection } from '../../results/run-file.ts';
import { readTaus, type TausByState } from '../../results/tau-file.ts';
import { EVENT_FILE, readLoggedLoss } from '../../results/tensorboard.ts';
import { tauOfLogit } from '../../snn/neurons.ts';
import type { ClipAnswer, EpochCurves, LayerResult, RunResult, Series } from '../data/results.ts';

/** The clips that decide which epoch is chosen. */
const CLIPS_OF: Readonly<Record<Selection, RunResult['chosenOn']>> = {
  last: null,
  validation: 'validation',
  'best-test': 'test',
};

/** What all files of a run must agree on. */
export interface Expected {
  readonly model: string;
  readonly seed: number;
  readonly dataset: string;
  readonly simulated: boolean;
}

/**
 * Reads the files of a training and its evaluation.
 *
 * @throws {ReproError} `results-invalid` naming the file and the field or the line; also if the files contradict each other or `expected`
 */
export async function readRunResult(
  folders: { readonly train: string; readonly evaluate: string },
  expected: Expected,
): Promise<{ result: RunResult; classes: readonly string[] }> {
  const { model, seed } = expected;
  const train = `train@${model},${seed}`;
  const evaluate = `evaluate@${model},${seed}`;
  const eventFile = join(folders.train, 'tensorboard', EVENT_FILE);
  const [runFile, metricsFile, events, weights, evaluationFile, predictionsFile, tauFile] = await Promise.all(
    [
      readResultFile(join(folders.train, 'run.json'), train),
      readResultFile(join(folders.train, 'metrics.csv'), train),
      readResultBytes(eventFile, train),
      readResultBytes(join(folders.train, 'best.safetensors'), train),
      readResultFile(join(folders.evaluate, 'evaluation.json'), evaluate),
      readResultFile(join(folders.evaluate, 'predictions.csv'), evaluate),
      readResultFile(join(folders.evaluate, 'tau.csv'), evaluate),
    ],
  );
  const run = readRun(runFile);
  const evaluation = readEvaluation(evaluationFile);
  requireExpected(runFile, { ...run, model: run.model.id }, expected);
  requireExpected(evaluationFile, evaluation, expected);
  const rows = readMetrics(metricsFile);
  const answers = readAnswers(predictionsFile, evaluationFile, evaluation);
  const { engine, parameters, training, frames, compat } = run;
  const { test, validation, confusion, classes } = evaluation;
  const result: RunResult = {
    ...{ seed, engine, parameters, training, frames, compat, test, validation, confusion },
    clips: run.split,
    network: { ...run.network },
    spec: networkOf(runFile, run),
    metrics: columnsOf(rows),
    loggedLoss: readLoggedLoss(events, eventFile, rows.length),
    answers,
    digests: {
      metrics: hashText(metricsFile.text),
      weights: hashText(weights),
      predictions: hashText(predictionsFile.text),
    },
    layers: joinLayers(evaluationFile, evaluation, rows, readTaus(tauFile)),
    chosenEpoch: evaluation.checkpoint.epoch + 1,
    chosenOn: CLIPS_OF[evaluation.checkpoint.selection],
    maximum: fromOne(evaluation.maximum),
  };
  return { result, classes };
}

function requireExpected(from: ResultFile, found: Expected, expected: Expected): void {
  for (const name of ['model', 'dataset'] as const) {
    if (found[name] !== expected[name])
      refuse(from, `field "${name}" is "${found[name]}", expected "${expected[name]}"`);
  }
  if (found.seed !== expected.seed)
    refuse(from, `field "seed" is ${found.seed}, but its folder is for seed ${expected.seed}`);
  if (found.simulated !== expected.simulated)
    refuse(from, `field "simulated" is ${found.simulated}, but the manifest says ${expected.simulated}`);
}

/** Must agree with the evaluation's test result. */
function readAnswers(from: ResultFile, evaluationFile: ResultFile, { test }: EvaluationFile): ClipAnswer[] {
  const answers = readTestAnswers(from).map(({ user, class: label, predicted }, clip) => {
    return { clip, user, class: label, right: predicted === label };
  });
  const right = answers.filter((answer) => answer.right).length;
  if (answers.length !== test.clips || right !== test.correct) {
    refuse(
      evaluationFile,
      `field "test" has ${test.correct} of ${test.clips} clips right, but predictions.csv has ${right} of ${answers.length}`,
    );
  }
  return answers;
}

/** metrics.csv column by column. NaN and infinities become null, so that figures show a gap where training diverged. */
function columnsOf(rows: readonly EpochRow[]): EpochCurves {
  const series = (read: (row: EpochRow) => number | null | undefined): Series =>
    rows.map((row) => {
      const value = read(row) ?? null;
      return Number.isFinite(value) ? value : null;
    });
  const perSplit = (quantity: 'loss' | 'accuracy') => ({
    train: series(({ train }) => train[quantity]),
    validation: series(({ validation }) => validation?.[quantity]),
    test: series(({ test }) => test?.[quantity]),
  });
  return {
    epochs: rows.map(({ epoch }) => epoch + 1),
    accuracy: perSplit('accuracy'),
    loss: perSplit('loss'),
    layers: (rows[0]?.layers ?? []).map((_, layer) => ({
      tauOfMean: series(({ layers }) => {
        const w = layers[layer]?.wMean ?? null;
        return w === null ? null : tauOfLogit(w);
      }),
      tauMean: series(({ layers }) => layers[layer]?.tauMean),
      tauStd: series(({ layers }) => layers[layer]?.tauStd),
      tauChange: series(({ layers }) => layers[layer]?.tauChange),
      spikeRate: series(({ layers }) => layers[layer]?.spikeRate),
    })),
  };
}

/** Joins what is known of each spiking layer; all files must have the same number of layers. */
function joinLayers(
  from: ResultFile,
  { spikeRates: { test: rates } }: EvaluationFile,
  rows: readonly EpochRow[],
  { chosen, last }: TausByState,
): LayerResult[] {
  const layers = rows[0]?.layers.length ?? 0;
  if (rates.length !== layers || chosen.length !== layers) {
    refuse(
      from,
      `field "spikeRates" is of ${rates.length} spiking layers, tau.csv of ${chosen.length}, but metrics.csv has ${layers}`,
    );
  }
  return rates.map((spikeRate, layer) => ({
    spikeRate,
    taus: { chosen: chosen[layer]!, last: last[layer]! },
  }));
}

/** Counts epochs from 1. */
function fromOne({ test, validation }: Maxima): Maxima {
  const shift = ({ epoch, accuracy }: Maximum): Maximum => ({ epoch: epoch + 1, accuracy });
  return { test: shift(test), validation: validation && shift(validation) };
}
