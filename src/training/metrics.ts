import { csvParse } from 'd3-dsv';
import { ReproError } from '../errors.ts';
import { logitOfTau, tauOfLogit } from '../snn/neurons.ts';
import { type NetworkSpec, spikingLayers } from '../snn/spec.ts';
import type { State, Tensor } from '../snn/tensor.ts';

export interface LossAndAccuracy {
  readonly loss: number;
  readonly accuracy: number;
}

/** Spread of the time constants over a layer's neurons; the standard deviations are unbiased, and 0 for one neuron. */
export interface TauStatistics {
  /** Null for a fixed τ of 1, whose w would be infinite. */
  readonly wMean: number | null;
  readonly wStd: number;
  /** In time steps. */
  readonly tauMean: number;
  readonly tauStd: number;
  /** Mean over the neurons of how far τ moved in the epoch: a mean τ may stand still while its neurons move apart. */
  readonly tauChange: number;
}

/** Loss and accuracy of every 256th training batch, counted over all epochs, are logged individually, as in the original. */
export const LOGGED_EVERY = 256;

/** An individually logged training batch. */
export interface LoggedBatch {
  /** Training batches before it, over all epochs. */
  readonly step: number;
  /** Including the regulariser. */
  readonly loss: number;
  readonly accuracy: number;
}

/**
 * So many batches of a training are kept one by one. Rounding differs from one machine to the next and flips single spikes, from which
 * trainings grow apart; this early, they have not yet, so that wrong arithmetic shows.
 */
export const FIRST_BATCHES = 8;

/** One of the first training batches, as computed before its optimiser step. */
export interface FirstBatch {
  /** Including the regulariser. */
  readonly loss: number;
  /** The share of neurons that spike per step, for each spiking layer. */
  readonly spikeRates: readonly number[];
}

/** An epoch: one row of metrics.csv, and its points in TensorBoard. `test` is null if the epoch was not tested, `validation` if no clips are held back. */
export interface EpochMetrics {
  readonly epoch: number;
  readonly learningRate: number;
  readonly train: LossAndAccuracy;
  readonly validation: LossAndAccuracy | null;
  readonly test: LossAndAccuracy | null;
  /** One per spiking layer; `spikeRate` is the share of neurons that spike per step, over the training batches. */
  readonly layers: readonly (TauStatistics & { readonly spikeRate: number })[];
  /** Training batches since the start, after this epoch. */
  readonly batches: number;
  /** This epoch's batches whose step is a multiple of `LOGGED_EVERY`. */
  readonly logged: readonly LoggedBatch[];
  /** Those of this epoch's batches that are among the first `FIRST_BATCHES` of the training: an epoch may have fewer. */
  readonly first: readonly FirstBatch[];
}

/** The part of a state that is about τ: the logits w, as they are now, since an engine may change its own arrays. */
export function copyLogits(spec: NetworkSpec, state: State): State {
  const copies = new Map<string, Tensor>();
  for (const { name } of spikingLayers(spec)) {
    const w = state.get(`${name}.w`);
    if (w?.dtype === 'F32') copies.set(`${name}.w`, { ...w, data: w.data.slice() });
  }
  return copies;
}

/**
 * Statistics of each spiking layer's time constants and their logits w.
 *
 * @param before, after the state at both ends of an epoch
 */
export function tauStatistics(spec: NetworkSpec, before: State, after: State): TauStatistics[] {
  return spikingLayers(spec).map((layer) => {
    const w = logitsOf(layer, after);
    const tau = w.map(tauOfLogit);
    const [mean, wStd] = meanAndStd(w);
    const wMean = Number.isFinite(mean) || layer.neuron.kind === 'plif' ? mean : null;
    const [tauMean, tauStd] = meanAndStd(tau);
    const moved = logitsOf(layer, before).reduce(
      (sum, one, i) => sum + Math.abs(tau[i]! - tauOfLogit(one)),
      0,
    );
    return { wMean, wStd, tauMean, tauStd, tauChange: moved / tau.length };
  });
}

function logitsOf({ name, neuron }: ReturnType<typeof spikingLayers>[number], state: State): Float64Array {
  const logits = state.get(`${name}.w`)?.data;
  return logits instanceof Float32Array
    ? Float64Array.from(logits)
    : Float64Array.of(logitOfTau(neuron.tau.mean));
}

function meanAndStd(values: Float64Array): [number, number] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length === 1) return [mean, 0];
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return [mean, Math.sqrt(squares / (values.length - 1))];
}

const layerColumns = [
  ['w_mean', 'wMean'],
  ['w_std', 'wStd'],
  ['tau_mean', 'tauMean'],
  ['tau_std', 'tauStd'],
  ['tau_change', 'tauChange'],
  ['spike_rate', 'spikeRate'],
] as const;

/** metrics.csv: one row per epoch; numbers in their shortest exact form, empty if an epoch was not tested or validated. */
export function formatMetrics(rows: readonly EpochMetrics[]): string {
  const layers = rows[0]?.layers.length ?? 0;
  const header = [
    'epoch,learning_rate,train_loss,train_accuracy,validation_loss,validation_accuracy,test_loss,test_accuracy',
    ...Array.from({ length: layers }, (_, i) => layerColumns.map(([column]) => `${column}.${i}`).join(',')),
  ].join(',');
  const lines = rows.map(({ epoch, learningRate, train, validation, test, layers: ofLayers }) =>
    [
      epoch,
      learningRate,
      train.loss,
      train.accuracy,
      validation?.loss ?? '',
      validation?.accuracy ?? '',
      test?.loss ?? '',
      test?.accuracy ?? '',
      ...ofLayers.flatMap((layer) => layerColumns.map(([, key]) => layer[key] ?? '')),
    ].join(','),
  );
  return `${[header, ...lines].join('\n')}\n`;
}

/** first-batches.csv: one row per batch, from 0; numbers in their shortest exact form. */
export function formatFirstBatches(batches: readonly FirstBatch[]): string {
  const layers = batches[0]?.spikeRates.length ?? 0;
  const header = ['batch', 'loss', ...Array.from({ length: layers }, (_, layer) => `spike_rate.${layer}`)];
  const lines = batches.map(({ loss, spikeRates }, batch) => [batch, loss, ...spikeRates].join(','));
  return `${[header.join(','), ...lines].join('\n')}\n`;
}

/** The highest accuracy over the epochs, and the first epoch that reached it. */
export interface Maximum {
  readonly epoch: number;
  readonly accuracy: number;
}

export function maximumAccuracy(
  points: readonly { readonly epoch: number; readonly accuracy: number | null }[],
): Maximum {
  let best: Maximum | undefined;
  for (const { epoch, accuracy } of points) {
    if (accuracy !== null && (best === undefined || accuracy > best.accuracy)) best = { epoch, accuracy };
  }
  if (best === undefined) throw new RangeError('no epoch has an accuracy');
  return best;
}

/**
 * The maxima of a metrics.csv; null for validation if no clips were held back.
 *
 * @throws {ReproError} `metrics-invalid` if a cell that must hold a number does not
 */
export function readMaxima(text: string, file: string): { test: Maximum; validation: Maximum | null } {
  const rows = csvParse(text);
  const maximum = (column: string): Maximum | null => {
    const points = rows.map((row, index) => {
      const [epoch, accuracy] = [row.epoch, row[column]].map((cell) => (cell ? Number(cell) : null));
      if (typeof epoch !== 'number' || !Number.isInteger(epoch) || Number.isNaN(accuracy)) {
        throw invalid(file, `line ${index + 2}: expected numbers under "epoch" and "${column}"`);
      }
      return { epoch, accuracy: accuracy ?? null };
    });
    return points.every(({ accuracy }) => accuracy === null) ? null : maximumAccuracy(points);
  };
  const test = maximum('test_accuracy');
  if (test === null) throw invalid(file, 'no values under "test_accuracy"');
  return { test, validation: maximum('validation_accuracy') };
}

function invalid(where: string, problem: string): ReproError {
  return new ReproError('metrics-invalid', `${problem}.`, {
    where,
    fix: 'Recreate it: `repro run train --force`.',
  });
}
