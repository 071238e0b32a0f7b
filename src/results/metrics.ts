import { formatCsv } from '../formats/csv.ts';
import { parseTable, type ResultFile, type ResultRow, refuse, requireColumns } from './result-file.ts';

export interface LossAndAccuracy {
  /** For training clips with the regulariser. */
  readonly loss: number;
  readonly accuracy: number;
}

/** A spiking layer after an epoch. The standard deviations over its neurons are unbiased, and 0 for one τ per layer. */
export interface LayerRow {
  /** Null for a fixed τ of 1, whose w would be infinite. */
  readonly wMean: number | null;
  readonly wStd: number;
  /** In time steps. */
  readonly tauMean: number;
  readonly tauStd: number;
  /** Mean over the neurons of how far τ moved in the epoch: a mean τ may stand still while its neurons move apart. */
  readonly tauChange: number;
  /** The share of neurons that spike per step, over the training batches. */
  readonly spikeRate: number;
}

/** One row of metrics.csv. A training that diverged has numbers that are NaN or infinite. */
export interface EpochRow {
  /** From 0. */
  readonly epoch: number;
  readonly learningRate: number;
  readonly train: LossAndAccuracy;
  /** Null if no clips are held back. */
  readonly validation: LossAndAccuracy | null;
  /** Null if the epoch was not tested. */
  readonly test: LossAndAccuracy | null;
  /** Spiking layers, from input to output. */
  readonly layers: readonly LayerRow[];
}

const layerColumns = [
  ['w_mean', 'wMean'],
  ['w_std', 'wStd'],
  ['tau_mean', 'tauMean'],
  ['tau_std', 'tauStd'],
  ['tau_change', 'tauChange'],
  ['spike_rate', 'spikeRate'],
] as const;

const epochColumns = [
  ...['epoch', 'learning_rate', 'train_loss', 'train_accuracy'],
  ...['validation_loss', 'validation_accuracy', 'test_loss', 'test_accuracy'],
];

const columnsOfLayer = (layer: number) => layerColumns.map(([column]) => `${column}.${layer}`);

/** metrics.csv: one row per epoch; numbers in their shortest exact form, empty if an epoch was not tested or validated. */
export function formatMetrics(rows: readonly EpochRow[]): string {
  const header = [...epochColumns, ...(rows[0]?.layers ?? []).flatMap((_, layer) => columnsOfLayer(layer))];
  const lines = rows.map(({ epoch, learningRate, train, validation, test, layers }) => [
    ...[epoch, learningRate, train.loss, train.accuracy],
    ...[validation?.loss ?? '', validation?.accuracy ?? '', test?.loss ?? '', test?.accuracy ?? ''],
    ...layers.flatMap((layer) => layerColumns.map(([, key]) => layer[key] ?? '')),
  ]);
  return formatCsv([header, ...lines]);
}

/** @throws {ReproError} `results-invalid` naming the line and the column; also if the epochs are not 0, 1, 2, … */
export function readMetrics(from: ResultFile): EpochRow[] {
  const { columns, rows } = parseTable(from, epochColumns);
  const layers = countLayers(columns);
  requireColumns(from, columns, Array.from({ length: layers }, (_, layer) => columnsOfLayer(layer)).flat());
  if (rows.length === 0) refuse(from, 'expected one row per epoch, found none');
  return rows.map((row, index) => {
    const epoch = row.count('epoch');
    if (epoch !== index) row.refuse('epoch', `expected ${index}, found ${epoch}`);
    return {
      epoch,
      learningRate: row.number('learning_rate'),
      train: { loss: row.number('train_loss'), accuracy: row.number('train_accuracy') },
      validation: readOptional(row, 'validation'),
      test: readOptional(row, 'test'),
      layers: Array.from({ length: layers }, (_, layer) => ({
        wMean: row.optional(`w_mean.${layer}`),
        wStd: row.number(`w_std.${layer}`),
        tauMean: row.number(`tau_mean.${layer}`),
        tauStd: row.number(`tau_std.${layer}`),
        tauChange: row.number(`tau_change.${layer}`),
        spikeRate: row.number(`spike_rate.${layer}`),
      })),
    };
  });
}

function readOptional(row: ResultRow, split: 'validation' | 'test'): LossAndAccuracy | null {
  const [loss, accuracy] = [row.optional(`${split}_loss`), row.optional(`${split}_accuracy`)];
  if (loss === null || accuracy === null) return null;
  return { loss, accuracy };
}

/** One of the first training batches, as computed before its optimiser step: one row of first-batches.csv. */
export interface FirstBatch {
  /** Including the regulariser. */
  readonly loss: number;
  /** The share of neurons that spike per step, for each spiking layer. */
  readonly spikeRates: readonly number[];
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

/** An epoch: one row of metrics.csv, and its points in TensorBoard. */
export interface EpochMetrics extends EpochRow {
  /** Training batches since the start, after this epoch. */
  readonly batches: number;
  /** This epoch's batches whose step is a multiple of `LOGGED_EVERY`. */
  readonly logged: readonly LoggedBatch[];
  /** Those of this epoch's batches that first-batches.csv keeps: an epoch may have fewer. */
  readonly first: readonly FirstBatch[];
}

/**
 * So many batches of a training are kept one by one. Rounding differs from one machine to the next and flips single spikes, from which
 * trainings grow apart; this early, they have not yet, so that wrong arithmetic shows.
 */
export const FIRST_BATCHES = 8;

/** first-batches.csv: one row per batch, from 0; numbers in their shortest exact form. */
export function formatFirstBatches(batches: readonly FirstBatch[]): string {
  const layers = batches[0]?.spikeRates ?? [];
  const header = ['batch', 'loss', ...layers.map((_, layer) => `spike_rate.${layer}`)];
  return formatCsv([header, ...batches.map(({ loss, spikeRates }, batch) => [batch, loss, ...spikeRates])]);
}

/** @throws {ReproError} `results-invalid` naming the line and the column; also if the batches are not 0, 1, 2, … */
export function readFirstBatches(from: ResultFile): FirstBatch[] {
  const { columns, rows } = parseTable(from, ['batch', 'loss', 'spike_rate.0']);
  if (rows.length === 0) refuse(from, 'expected one row per batch, found none');
  return rows.map((row, index) => {
    const batch = row.count('batch');
    if (batch !== index) row.refuse('batch', `expected ${index}, found ${batch}`);
    return {
      loss: row.number('loss'),
      spikeRates: Array.from({ length: countLayers(columns) }, (_, layer) =>
        row.number(`spike_rate.${layer}`),
      ),
    };
  });
}

function countLayers(columns: ReadonlySet<string>): number {
  return [...columns].filter((column) => /^spike_rate\.\d+$/.test(column)).length;
}
