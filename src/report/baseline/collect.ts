import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ReproError } from '../../base/errors.ts';
import { hashText } from '../../base/files/canonical-json.ts';
import type { RawObject } from '../../base/files/shape.ts';
import { type NetworkSpec, repeatedSteps, spikingLayers } from '../../network/spec.ts';
import { FRAME_CACHE_FILES, FRAME_CACHE_FIX, parseClipIndex } from '../../results/clip-index.ts';
import type { EvaluationFile } from '../../results/evaluation-file.ts';
import { type EpochRow, readFirstBatches } from '../../results/metrics.ts';
import {
  nameUnreadable,
  type ResultFile,
  readResultFile,
  refuse,
  toSevenDigits,
} from '../../results/result-file.ts';
import { type RunFile, readSettings } from '../../results/run-file.ts';
import { type RunFolders, readTrainedRun } from '../../results/trained-run.ts';
import { type Baseline, type FramesFacts, isKept, type RunFacts } from './baseline.ts';

/**
 * Reads what a baseline keeps of a training and its evaluation.
 *
 * @throws {ReproError} `results-invalid` as `readTrainedRun`; also if a number is NaN or infinite
 */
export async function readRunFacts(
  folders: RunFolders,
  of: Pick<RunFacts, 'model' | 'seed' | 'engine' | 'evaluationEngine'>,
): Promise<RunFacts> {
  const [trained, batchesFile] = await Promise.all([
    readTrainedRun(folders, of),
    readResultFile(path.join(folders.train, 'first-batches.csv'), `train@${of.model},${of.seed}`),
  ]);
  const { run, spec, epochs, chosen, answers, files } = trained;
  const digits = (value: number, what: string): number => shorten(files.metrics, value, what);
  return {
    ...of,
    settings: listSettings(files.run, run),
    epochs: epochs.length,
    chosenEpoch: chosen.epoch + 1,
    preferredEpoch: findPreferred(run.compat.selection, epochs),
    rightInTraining: chosen.test && Math.round(chosen.test.accuracy * answers.length),
    neuronSteps: countNeuronSteps(spec, run),
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
    test: {
      clips: answers.length,
      list: digestClips(answers),
      wrong: answers.flatMap((one) => (one.predicted === one.class ? [] : [one.clip])),
      ...countMore(trained.evaluation),
    },
  };
}

function countMore({ correctByStep, orders, tau, cost }: EvaluationFile) {
  const counts = Object.entries(orders ?? {}).map(([order, { correct }]) => [order, correct] as const);
  const changes = Object.entries(tau ?? {}).map(([change, { asTrained, again }]) => {
    return [change, [asTrained.correct, again.correct]] as const;
  });
  const known = Object.entries(cost).flatMap(([name, value]) =>
    value === null ? [] : [[name, toSevenDigits(value)] as const],
  );
  return {
    correctByStep,
    ...(orders === undefined ? {} : { correctByOrder: Object.fromEntries(counts) }),
    ...(tau === undefined ? {} : { correctByTau: Object.fromEntries(changes) }),
    cost: Object.fromEntries(known),
  };
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
function listSettings(from: ResultFile, { parameters }: RunFile): RawObject {
  const settings = readSettings(from, ['frames', 'network', 'training', 'compat', 'split']);
  settings.delete('training.epochs');
  return { parameters, ...Object.fromEntries(settings) };
}

/** Neurons × time steps × clips of one training batch, for each spiking layer from input to output. */
function countNeuronSteps(spec: NetworkSpec, run: RunFile): number[] {
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
  const lines = clips.map((clip) => `${JSON.stringify([clip.recording, String(clip.class)])}\n`);
  return hashText(lines.join(''));
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
