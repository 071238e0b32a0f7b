import { describe, expect, it } from 'vitest';
import { buildNetwork } from '../../src/snn/networks.ts';
import type { State, Tensor } from '../../src/snn/tensor.ts';
import {
  type EpochMetrics,
  formatFirstBatches,
  formatMetrics,
  maximumAccuracy,
  readMaxima,
  tauStatistics,
} from '../../src/training/metrics.ts';
import { smallNetwork } from './small-task.ts';

function row(epoch: number, validation: number, test: number | null): EpochMetrics {
  return {
    epoch,
    learningRate: 0.001,
    train: { loss: 0.5, accuracy: 0.25 },
    validation: { loss: 0.125, accuracy: validation },
    test: test === null ? null : { loss: 0.25, accuracy: test },
    layers: [{ wMean: 0, wStd: 0.5, tauMean: 2, tauStd: 1, tauChange: 0.25, spikeRate: 0.1 }],
    batches: (epoch + 1) * 4,
    logged: [],
    first: [],
  };
}

describe('metrics.csv', () => {
  it('has one row per epoch, with empty cells if an epoch was not tested', () => {
    expect(formatMetrics([row(0, 0.5, null), row(1, 0.75, 0.5)])).toBe(
      'epoch,learning_rate,train_loss,train_accuracy,validation_loss,validation_accuracy,test_loss,test_accuracy,' +
        'w_mean.0,w_std.0,tau_mean.0,tau_std.0,tau_change.0,spike_rate.0\n' +
        '0,0.001,0.5,0.25,0.125,0.5,,,0,0.5,2,1,0.25,0.1\n' +
        '1,0.001,0.5,0.25,0.125,0.75,0.25,0.5,0,0.5,2,1,0.25,0.1\n',
    );
  });

  it('is read for its maxima: the first epoch that reached them', () => {
    const text = formatMetrics([row(0, 0.5, null), row(1, 0.75, 0.5), row(2, 0.75, 0.25)]);
    expect(readMaxima(text, 'metrics.csv')).toEqual({
      test: { epoch: 1, accuracy: 0.5 },
      validation: { epoch: 1, accuracy: 0.75 },
    });
  });

  it('is rejected if a number is missing, naming the line', () => {
    const text = formatMetrics([row(0, 0.5, 0.5)]).replace('0,0.001', 'x,0.001');
    expect(() => readMaxima(text, 'metrics.csv')).toThrow('line 2: expected numbers under "epoch"');
  });
});

it('first-batches.csv has one row per batch', () => {
  expect(
    formatFirstBatches([
      { loss: 0.5, spikeRates: [0.25, 0] },
      { loss: 0.375, spikeRates: [0.125, 1] },
    ]),
  ).toBe('batch,loss,spike_rate.0,spike_rate.1\n0,0.5,0.25,0\n1,0.375,0.125,1\n');
});

describe('maximumAccuracy', () => {
  it('needs at least one epoch that was measured', () => {
    expect(() => maximumAccuracy([{ epoch: 0, accuracy: null }])).toThrow('no epoch has an accuracy');
  });
});

describe('tauStatistics', () => {
  const floats = (...values: number[]): Tensor => ({
    dtype: 'F32',
    shape: [values.length],
    data: Float32Array.from(values),
  });

  it('gives mean and unbiased standard deviation of w and τ = 1 + e^-w', () => {
    const spec = buildNetwork(smallNetwork);
    const w = Math.fround(Math.log(3));
    const state = new Map([
      ['conv.2.w', floats(-w, w)],
      ['fc.3.w', floats(0)],
      ['fc.6.w', floats(-w)],
    ]);
    const [conv, hidden, output] = tauStatistics(spec, state, state);
    expect(conv?.wMean).toBe(0);
    expect(conv?.wStd).toBeCloseTo(Math.SQRT2 * Math.log(3), 6);
    expect(conv?.tauMean).toBeCloseTo((4 + 4 / 3) / 2, 6);
    expect(conv?.tauStd).toBeCloseTo((4 - 4 / 3) / Math.SQRT2, 6);
    expect(hidden).toEqual({ wMean: 0, wStd: 0, tauMean: 2, tauStd: 0, tauChange: 0 });
    expect(output?.tauMean).toBeCloseTo(4, 6);
  });

  it('gives how far the neurons moved, also where their mean stands still', () => {
    const spec = buildNetwork(smallNetwork);
    const w = (...taus: number[]) =>
      new Map([['conv.2.w', floats(...taus.map((tau) => -Math.log(tau - 1)))]]);
    const moved = (before: State, after: State) => tauStatistics(spec, before, after)[0];
    // By 1 and 0.5, then by 1 each in opposite directions.
    expect(moved(w(2, 2), w(3, 1.5))?.tauChange).toBeCloseTo(0.75, 6);
    expect(moved(w(2.5, 1.5), w(1.5, 2.5))?.tauMean).toBeCloseTo(2, 6);
    expect(moved(w(2.5, 1.5), w(1.5, 2.5))?.tauChange).toBeCloseTo(1, 6);
  });

  it('gives the fixed τ of LIF neurons', () => {
    const spec = buildNetwork({ ...smallNetwork, neuron: 'lif', tau: { per: 'layer', mean: 3, std: 0 } });
    expect(tauStatistics(spec, new Map(), new Map())[0]?.tauMean).toBeCloseTo(3, 12);
  });
});
