import { describe, expect, it } from 'vitest';
import {
  type EpochRow,
  formatFirstBatches,
  formatMetrics,
  readFirstBatches,
  readMetrics,
} from '../../src/results/metrics.ts';
import { resultFile } from './examples.ts';

function row(epoch: number, validation: number, test: number | null): EpochRow {
  return {
    epoch,
    learningRate: 0.001,
    train: { loss: 0.5, accuracy: 0.25 },
    validation: { loss: 0.125, accuracy: validation },
    test: test === null ? null : { loss: 0.25, accuracy: test },
    layers: [{ wMean: 0, wStd: 0.5, tauMean: 2, tauStd: 1, tauChange: 0.25, spikeRate: 0.1 }],
  };
}

const read = (text: string) => readMetrics(resultFile('metrics.csv', text));

describe('metrics.csv', () => {
  it('has one row per epoch, with empty cells if an epoch was not tested', () => {
    expect(formatMetrics([row(0, 0.5, null), row(1, 0.75, 0.5)])).toBe(
      'epoch,learning_rate,train_loss,train_accuracy,validation_loss,validation_accuracy,test_loss,test_accuracy,' +
        'w_mean.0,w_std.0,tau_mean.0,tau_std.0,tau_change.0,spike_rate.0\n' +
        '0,0.001,0.5,0.25,0.125,0.5,,,0,0.5,2,1,0.25,0.1\n' +
        '1,0.001,0.5,0.25,0.125,0.75,0.25,0.5,0,0.5,2,1,0.25,0.1\n',
    );
  });

  it('is read as it was written, with the epochs that were not tested or validated', () => {
    const rows: EpochRow[] = [row(0, 0.5, null), { ...row(1, 0.75, 0.5), validation: null }];
    expect(read(formatMetrics(rows))).toEqual(rows);
    const fixed = rows.map((one) => ({
      ...one,
      layers: one.layers.map((layer) => ({ ...layer, wMean: null })),
    }));
    expect(read(formatMetrics(fixed))).toEqual(fixed);
  });

  it('is read with the losses of a training that diverged', () => {
    const train = { loss: Number.NaN, accuracy: 0 };
    const test = { loss: Number.POSITIVE_INFINITY, accuracy: 0 };
    const diverged = [{ ...row(0, 0.5, 0.5), train, test }];
    expect(read(formatMetrics(diverged))).toEqual(diverged);
  });

  it('is refused if a column is missing', () => {
    expect(() => read('epoch\n0\n')).toThrow('column "learning_rate" is missing');
    const text = formatMetrics([row(0, 0.5, 0.5)]).replace('tau_std.0', 'tau_std.1');
    expect(() => read(text)).toThrow('column "tau_std.0" is missing');
  });

  it('is refused if a cell is not a number, naming line and column', () => {
    const text = formatMetrics([row(0, 0.5, 0.5)]);
    for (const [cell, column] of [
      ['high', 'train_accuracy'],
      ['', 'train_accuracy'],
    ])
      expect(() => read(text.replace('0.25,0.125', `${cell},0.125`))).toThrow(
        expect.objectContaining({
          code: 'results-invalid',
          where: 'metrics.csv',
          message: `line 2, column "${column}": expected a number, found "${cell}"`,
        }),
      );
  });

  it('is refused if epochs are missing or come twice, or if there are none', () => {
    expect(() => read(formatMetrics([row(0, 0.5, 0.5), row(0, 0.5, 0.5)]))).toThrow(
      'line 3, column "epoch": expected 1, found 0',
    );
    expect(() => read(formatMetrics([row(1, 0.5, 0.5)]))).toThrow(
      'line 2, column "epoch": expected 0, found 1',
    );
    expect(() => read(formatMetrics([row(0, 0.5, 0.5)]).replace('\n0,', '\nx,'))).toThrow(
      'line 2, column "epoch": expected a whole number, found "x"',
    );
    expect(() => read(`${formatMetrics([row(0, 0.5, 0.5)]).split('\n')[0]}\n`)).toThrow(
      'expected one row per epoch, found none',
    );
  });
});

it('first-batches.csv has one row per batch, and is read as it was written', () => {
  const batches = [
    { loss: 0.5, spikeRates: [0.25, 0] },
    { loss: 0.375, spikeRates: [0.125, 1] },
  ];
  const text = formatFirstBatches(batches);
  expect(text).toBe('batch,loss,spike_rate.0,spike_rate.1\n0,0.5,0.25,0\n1,0.375,0.125,1\n');
  const read = (one: string) => readFirstBatches(resultFile('first-batches.csv', one));
  expect(read(text)).toEqual(batches);
  expect(() => read(text.replace('\n1,', '\n2,'))).toThrow('line 3, column "batch": expected 1, found 2');
  expect(() => read('batch,loss,spike_rate.0\n')).toThrow('found none');
});
