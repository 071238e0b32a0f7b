import { csvParse } from 'd3-dsv';
import { ReproError } from '../../errors.ts';
import { tauOfLogit } from '../../snn/neurons.ts';
import type { EpochMetrics, Series } from '../data/results.ts';

/**
 * Parses metrics.csv: one row per epoch; the columns `epoch`, `{train,validation,test}_{loss,accuracy}` and, for each
 * spiking layer i from 0, `w_mean.<i>`, `tau_mean.<i>`, `tau_std.<i>` and `spike_rate.<i>`; `tau_change.<i>` may be missing. Other columns
 * are ignored. An empty cell, `NaN` and an
 * infinity become null, so that figures show a gap where training diverged.
 *
 * @param file name for error messages
 * @throws {ReproError} if a column is missing, a cell is not a number, or the epochs are not ascending
 */
export function readMetrics(file: string, text: string, fix: string): EpochMetrics {
  const fail = (problem: string): never => {
    throw new ReproError('report-input', problem, { where: file, fix });
  };
  const rows = csvParse(text);
  if (rows.length === 0) fail('expected one row per epoch, found none');
  const columns = new Set(rows.columns);

  const series = (column: string): Series => {
    if (!columns.has(column)) fail(`column "${column}" is missing`);
    return rows.map((row, index) => {
      const cell = row[column] ?? '';
      if (cell === '') return null;
      const value = Number(cell);
      if (Number.isFinite(value)) return value;
      if (/^(nan|[+-]?inf(inity)?)$/i.test(cell)) return null;
      return fail(`line ${index + 2}, column "${column}": expected a number, found "${cell}"`);
    });
  };
  const perSplit = (quantity: string) => ({
    train: series(`train_${quantity}`),
    validation: series(`validation_${quantity}`),
    test: series(`test_${quantity}`),
  });

  const epochs = series('epoch').map((value, index) => {
    if (value === null || !Number.isInteger(value)) {
      return fail(`line ${index + 2}, column "epoch": expected a whole number`);
    }
    return value;
  });
  epochs.forEach((epoch, index) => {
    const before = epochs[index - 1];
    if (before !== undefined && epoch <= before) {
      fail(`line ${index + 2}, column "epoch": ${epoch} follows ${before}, but epochs must be ascending`);
    }
  });

  const layerCount = rows.columns.filter((column) => /^tau_mean\.\d+$/.test(column)).length;
  return {
    epochs: epochs.map((epoch) => epoch + 1),
    accuracy: perSplit('accuracy'),
    loss: perSplit('loss'),
    layers: Array.from({ length: layerCount }, (_, layer) => ({
      tauOfMean: series(`w_mean.${layer}`).map((w) => (w === null ? null : tauOfLogit(w))),
      tauMean: series(`tau_mean.${layer}`),
      tauStd: series(`tau_std.${layer}`),
      ...(columns.has(`tau_change.${layer}`) ? { tauChange: series(`tau_change.${layer}`) } : {}),
      spikeRate: series(`spike_rate.${layer}`),
    })),
  };
}
