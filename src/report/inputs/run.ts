import { join } from 'node:path';
import { tauOfLogit } from '../../network/neurons.ts';
import type { EpochRow } from '../../results/metrics.ts';
import { type EpochSelection, type Maxima, type Maximum, pickTestUsers } from '../../results/run-file.ts';
import { type RunFolders, readResultFile, readRunFiles } from '../../results/stage-files.ts';
import { readTaus } from '../../results/tau-file.ts';
import { type RunIdentity, readTrainedRun } from '../../results/trained-run.ts';
import type { EpochCurves, RunResult, Series } from '../data/results.ts';

/** The clips that decide which epoch is chosen. */
const CLIPS_OF: Readonly<Record<EpochSelection, RunResult['chosenOn']>> = {
  last: null,
  validation: 'validation',
  'best-test': 'test',
};

/**
 * Reads the files of a training and its evaluation.
 *
 * @throws {ReproError} `results-invalid` naming the file and the field or the line; also if the files contradict each other or `identity`
 */
export async function readRunResult(folders: RunFolders, identity: RunIdentity): Promise<RunResult> {
  const { model, seed } = identity;
  const [files, tauFile] = await Promise.all([
    readRunFiles(folders, identity),
    readResultFile(join(folders.evaluate, 'tau.csv'), `evaluate@${model},${seed}`),
  ]);
  const trained = readTrainedRun(files, identity);
  const { run, spec, epochs, evaluation } = trained;
  const { engine, parameters, training, frames, compat } = run;
  const { test, validation, confusion, cost, correctByStep, orders = {}, tau = {} } = evaluation;
  return {
    ...{ seed, engine, parameters, training, frames, compat, test, validation, confusion },
    ...{ cost, correctByStep, orders, tau },
    clips: run.split,
    network: { ...run.network },
    spec,
    metrics: columnsOf(epochs),
    ...pickTestUsers(run.split),
    answers: trained.answers.map(({ clip, user, class: label, predicted }) => {
      return { clip, user, class: label, right: predicted === label };
    }),
    layers: readTaus(tauFile).last.map((taus, layer) => {
      return { spikeRate: evaluation.spikeRates.test[layer]!, taus };
    }),
    chosenEpoch: evaluation.checkpoint.epoch + 1,
    chosenOn: CLIPS_OF[evaluation.checkpoint.selection],
    maximum: fromOne(evaluation.maximum),
  };
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
    })),
  };
}

function fromOne({ test, validation }: Maxima): Maxima {
  const shift = ({ epoch, accuracy }: Maximum): Maximum => ({ epoch: epoch + 1, accuracy });
  return { test: shift(test), validation: validation && shift(validation) };
}
