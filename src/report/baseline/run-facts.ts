import { ReproError } from '../../base/errors.ts';
import type { RawObject } from '../../base/files/shape.ts';
import { sha256Of } from '../../base/sha256.ts';
import { type NetworkSpec, repeatedSteps, spikingLayers } from '../../network/spec.ts';
import { type ClipIndex, FRAME_CACHE_FIX } from '../../results/clip-index.ts';
import type { EvaluationFile } from '../../results/evaluation-file.ts';
import { type EpochRow, type FirstBatch, readFirstBatches } from '../../results/metrics.ts';
import { type ResultFile, refuse, toSevenDigits } from '../../results/result-file.ts';
import { type RunFile, readSettings } from '../../results/run-file.ts';
import { type RunFiles, readTrainedRun } from '../../results/trained-run.ts';
import { type FramesFacts, isKept, type RunFacts } from './baseline.ts';

/** The tables of a training. */
type Tables = Readonly<Record<'metrics' | 'firstBatches', Omit<ResultFile, 'text'>>>;

/**
 * What a baseline keeps of a training and its evaluation.
 *
 * @param weights the bytes of best.safetensors
 * @throws {ReproError} `results-invalid` as `readTrainedRun`; also if a number is NaN or infinite
 */
export async function collectRunFacts(
  files: RunFiles & Readonly<Record<'firstBatches', ResultFile>>,
  weights: Uint8Array,
  of: Pick<RunFacts, 'model' | 'seed' | 'engine' | 'evaluationEngine'>,
): Promise<RunFacts> {
  const { run, spec, epochs, chosen, answers, evaluation } = readTrainedRun(files, of);
  return {
    ...of,
    settings: listSettings(files.run, run),
    epochs: epochs.length,
    chosenEpoch: chosen.epoch + 1,
    preferredEpoch: findPreferred(run.compat.selection, epochs),
    rightInTraining: chosen.test && Math.round(chosen.test.accuracy * answers.length),
    neuronSteps: countNeuronSteps(spec, run),
    ...collectTrainingFacts(epochs, readFirstBatches(files.firstBatches), files),
    digests: { weights: await sha256Of(weights), predictions: await sha256Of(files.predictions.text) },
    test: {
      clips: answers.length,
      list: await digestClips(answers),
      wrong: answers.flatMap((one) => (one.predicted === one.class ? [] : [one.clip])),
      ...countMore(evaluation),
    },
  };
}

/** The part that arises while a network is trained. */
export type TrainingFacts = Pick<RunFacts, 'firstBatches' | 'trainLosses' | 'accuracies' | 'layers'>;

/** @param epochs all of a training, or those so far */
export function collectTrainingFacts(
  epochs: readonly EpochRow[],
  batches: readonly FirstBatch[],
  { metrics, firstBatches }: Tables,
): TrainingFacts {
  const digits = (value: number, what: string): number => shorten(metrics, value, what);
  const accuracies = (split: 'train' | 'validation' | 'test') =>
    epochs.map(({ [split]: found }) => found && toSevenDigits(found.accuracy));
  return {
    firstBatches: keep(batches).map(({ number: batch, row: { loss, spikeRates } }) => ({
      batch,
      loss: shorten(firstBatches, loss, `loss of batch ${batch - 1}`),
      spikeRates: spikeRates.map((rate) => shorten(firstBatches, rate, `spike rate of batch ${batch - 1}`)),
    })),
    trainLosses: epochs.map(({ epoch, train: { loss } }) => digits(loss, `train_loss of epoch ${epoch}`)),
    accuracies: {
      train: accuracies('train'),
      validation: accuracies('validation'),
      test: accuracies('test'),
    },
    layers: keep(epochs).map(({ number, row }) => ({
      epoch: number,
      learningRate: digits(row.learningRate, `learning rate of epoch ${number - 1}`),
      spikeRates: row.layers.map(({ spikeRate }) => digits(spikeRate, `spike rate of epoch ${number - 1}`)),
      tauMeans: row.layers.map(({ tauMean }) => digits(tauMean, `τ of epoch ${number - 1}`)),
      tauStds: row.layers.map(({ tauStd }) => digits(tauStd, `σ(τ) of epoch ${number - 1}`)),
    })),
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

function shorten(from: Omit<ResultFile, 'text'>, value: number, what: string): number {
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
 * What a baseline keeps of the frames of a split.
 *
 * @param sha256 of its `.npy` file
 * @param metrics of the stage: `events.off.train`, … unless the data are still images
 * @throws {ReproError} `results-invalid` if they have no such numbers
 */
export async function collectFramesFacts(
  { splits, images }: ClipIndex,
  split: 'train' | 'test',
  sha256: string,
  metrics: RawObject,
): Promise<FramesFacts> {
  const events = images === undefined ? readEvents(metrics, split) : null;
  return { sha256, list: await digestClips(splits[split]), clips: splits[split].length, events };
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

/** The identity of a list of clips with their classes. Frames and predictions use the same, so that it can be seen whether they agree. */
function digestClips(
  clips: readonly { readonly recording: string; readonly class: number }[],
): Promise<string> {
  const lines = clips.map((clip) => `${JSON.stringify([clip.recording, String(clip.class)])}\n`);
  return sha256Of(lines.join(''));
}
