import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ReproError } from '../errors.ts';
import type { JsonObject } from '../formats/fields.ts';
import { FRAME_CACHE_FILES, FRAME_CACHE_FIX, parseClipIndex } from '../results/clip-index.ts';
import { type EvaluationFile, readEvaluation } from '../results/evaluation-file.ts';
import { type EpochRow, readFirstBatches, readMetrics } from '../results/metrics.ts';
import { readTestAnswers } from '../results/predictions.ts';
import {
  nameUnreadable,
  type ResultFile,
  readResultFile,
  refuse,
  toSevenDigits,
} from '../results/result-file.ts';
import { networkOf, type RunFile, readRun, readSettings } from '../results/run-file.ts';
import { repeatedSteps, spikingLayers } from '../snn/spec.ts';
import { type Baseline, type FramesFacts, isKept, type RunFacts, type TestFacts } from './baseline.ts';

/** Where the results of one model and seed are. */
interface RunFolders {
  readonly train: string;
  readonly evaluate: string;
}

/**
 * Reads what a baseline keeps of a training and its evaluation.
 *
 * @throws {ReproError} `results-invalid` naming the file and the field or line, and the command that makes it again; also if the files
 *   contradict each other, or a number is NaN or infinite
 */
export async function readRunFacts(
  { train, evaluate }: RunFolders,
  of: Pick<RunFacts, 'model' | 'seed' | 'engine' | 'evaluationEngine'>,
): Promise<RunFacts> {
  const instance = `@${of.model},${of.seed}`;
  const [runFile, metricsFile, batchesFile, evaluationFile, predictionsFile] = await Promise.all([
    readResultFile(path.join(train, 'run.json'), `train${instance}`),
    readResultFile(path.join(train, 'metrics.csv'), `train${instance}`),
    readResultFile(path.join(train, 'first-batches.csv'), `train${instance}`),
    readResultFile(path.join(evaluate, 'evaluation.json'), `evaluate${instance}`),
    readResultFile(path.join(evaluate, 'predictions.csv'), `evaluate${instance}`),
  ]);
  const run = readRun(runFile);
  const evaluation = readEvaluation(evaluationFile);
  requireOwn(runFile, { model: run.model.id, seed: run.seed }, of);
  requireOwn(evaluationFile, evaluation, of);
  const epochs = readMetrics(metricsFile);
  const neuronSteps = countNeuronSteps(runFile, run);
  const layers = epochs[0]?.layers.length;
  if (neuronSteps.length !== layers)
    refuse(metricsFile, `has ${layers} spiking layers, but the network of run.json ${neuronSteps.length}`);
  const test = readTest(predictionsFile, evaluationFile, evaluation);
  const chosenEpoch = evaluation.checkpoint.epoch + 1;
  const chosen = epochs[chosenEpoch - 1];
  if (chosen === undefined) {
    const problem = `field "checkpoint.epoch" is ${chosenEpoch - 1}, but metrics.csv ends with ${epochs.length - 1}`;
    return refuse(evaluationFile, problem);
  }
  const digits = (value: number, what: string): number => shorten(metricsFile, value, what);
  return {
    ...of,
    settings: listSettings(runFile, run),
    epochs: epochs.length,
    chosenEpoch,
    preferredEpoch: findPreferred(run.compat.selection, epochs),
    rightInTraining: chosen.test && Math.round(chosen.test.accuracy * test.clips),
    neuronSteps,
    firstBatches: keep(readFirstBatches(batchesFile)).map(({ number: batch, row: { loss, spikeRates } }) => ({
      batch,
      loss: shorten(batchesFile, loss, `loss of batch ${batch - 1}`),
      spikeRates: spikeRates.map((rate) => shorten(batchesFile, rate, `spike rate of batch ${batch - 1}`)),
    })),
    trainLosses: epochs.map(({ epoch, train: { loss } }) => digits(loss, `train_loss of epoch ${epoch}`)),
    layers: keep(epochs).map(({ number, row }) => ({
      epoch: number,
      learningRate: digits(row.learningRate, `learning rate of epoch ${number - 1}`),
      spikeRates: row.layers.map(({ spikeRate }) => digits(spikeRate, `spike rate of epoch ${number - 1}`)),
      tauMeans: row.layers.map(({ tauMean }) => digits(tauMean, `τ of epoch ${number - 1}`)),
      tauStds: row.layers.map(({ tauStd }) => digits(tauStd, `σ(τ) of epoch ${number - 1}`)),
    })),
    test,
  };
}

type Identity = Pick<RunFacts, 'model' | 'seed'>;

function requireOwn(from: ResultFile, found: Identity, { model, seed }: Identity): void {
  if (found.model !== model)
    refuse(from, `field "model" is "${found.model}", but its folder is that of "${model}"`);
  if (found.seed !== seed) refuse(from, `field "seed" is ${found.seed}, but its folder is that of ${seed}`);
}

/** The rows whose details are kept, and their numbers from 1. */
function keep<T>(rows: readonly T[]): { readonly number: number; readonly row: T }[] {
  return rows
    .map((row, index) => ({ number: index + 1, row }))
    .filter(({ number }) => isKept(number, rows.length));
}

function shorten(from: ResultFile, value: number, what: string): number {
  if (!Number.isFinite(value)) refuse(from, `${what}: expected a number, found ${value}`);
  return toSevenDigits(value);
}

/** The settings of run.json by dotted key, except the number of epochs, which only ends a training: until then, it goes the same way. */
function listSettings(from: ResultFile, { parameters }: RunFile): JsonObject {
  const settings = readSettings(from, ['frames', 'network', 'training', 'compat', 'split']);
  settings.delete('training.epochs');
  return { parameters, ...Object.fromEntries(settings) };
}

/** Neurons × time steps × clips of one training batch, for each spiking layer from input to output. */
function countNeuronSteps(from: ResultFile, run: RunFile): number[] {
  const spec = networkOf(from, run);
  // Still images are shown for as many steps as the network repeats them; recordings have a frame for each.
  const steps = repeatedSteps(spec) ?? run.frames.steps;
  return spikingLayers(spec).map(({ shape }) =>
    shape.reduce((product, size) => product * size, steps * run.training.batchSize),
  );
}

/**
 * The epoch that a training had to choose, by the accuracies in its metrics.csv: of the best validation accuracy, the latest of ties; or of
 * the best test accuracy, the first of ties; or the last one. Computed again here, so that an error in choosing is noticed.
 *
 * @returns from 1; null if no epoch has such an accuracy
 */
function findPreferred(
  selection: RunFile['compat']['selection'],
  epochs: readonly EpochRow[],
): number | null {
  if (selection === 'last') return epochs.length;
  let best: { readonly epoch: number; readonly accuracy: number } | null = null;
  for (const { epoch, validation, test } of epochs) {
    const accuracy = (selection === 'validation' ? validation : test)?.accuracy;
    if (accuracy === undefined) continue;
    const isBetter =
      best === null || (selection === 'validation' ? accuracy >= best.accuracy : accuracy > best.accuracy);
    if (isBetter) best = { epoch: epoch + 1, accuracy };
  }
  return best?.epoch ?? null;
}

function readTest(from: ResultFile, evaluationFile: ResultFile, { test }: EvaluationFile): TestFacts {
  const answers = readTestAnswers(from);
  const wrong = [...answers.keys()].filter((clip) => answers[clip]?.predicted !== answers[clip]?.class);
  const right = answers.length - wrong.length;
  if (right !== test.correct)
    refuse(evaluationFile, `field "test.correct" is ${test.correct}, but predictions.csv has ${right}`);
  return { clips: answers.length, list: digestClips(answers), wrong };
}

/**
 * Reads which frames the stage `frames` left.
 *
 * @param metrics of its record: `events.off.train`, … unless the data are still images
 * @throws {ReproError} `frames-invalid` or `results-invalid` naming the file
 */
export async function readFramesFacts(
  folder: string,
  metrics: { readonly [name: string]: unknown },
): Promise<Pick<Baseline, 'dataset' | 'simulated' | 'frames'>> {
  const { file, text } = await readResultFile(path.join(folder, FRAME_CACHE_FILES.index), 'frames');
  const index = parseClipIndex(text, file);
  const factsOf = async (split: 'train' | 'test'): Promise<FramesFacts> => ({
    sha256: await hashFile(path.join(folder, FRAME_CACHE_FILES[split])),
    list: digestClips(index.splits[split]),
    clips: index.splits[split].length,
    events: index.images === undefined ? readEvents(metrics, split) : null,
  });
  const { dataset, simulated } = index;
  return { dataset, simulated, frames: { train: await factsOf('train'), test: await factsOf('test') } };
}

/** The identity of a list of clips with their classes. Frames and predictions use the same, so that it can be seen whether they agree. */
function digestClips(clips: readonly { readonly recording: string; readonly class: number }[]): string {
  const hash = createHash('sha256');
  for (const { recording, class: label } of clips)
    hash.update(`${JSON.stringify([recording, String(label)])}\n`);
  return hash.digest('hex');
}

function readEvents(
  metrics: { readonly [name: string]: unknown },
  split: string,
): { off: number; on: number } {
  const [off, on] = ['off', 'on'].map((polarity) => metrics[`events.${polarity}.${split}`]);
  if (typeof off === 'number' && typeof on === 'number') return { off, on };
  throw new ReproError(
    'results-invalid',
    'the record of the stage "frames" has no count of events by polarity.',
    { fix: FRAME_CACHE_FIX },
  );
}

async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  await nameUnreadable(file, 'frames', pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash));
  return hash.digest('hex');
}
