import { describe, expect, it } from 'vitest';
import { readMetrics } from '../../../src/report/inputs/metrics.ts';

const HEAD =
  'epoch,learning_rate,train_loss,train_accuracy,validation_loss,validation_accuracy,test_loss,test_accuracy,w_mean.0,w_std.0,tau_mean.0,tau_std.0,spike_rate.0';
const read = (...rows: string[]) => readMetrics('metrics.csv', `${[HEAD, ...rows].join('\n')}\n`, 'Mend it.');

describe('readMetrics', () => {
  it('reads the columns of each split and layer', () => {
    const metrics = read(
      '0,.001,.08,.1,.07,.2,.06,.3,0,0,2,0,.1',
      '1,.001,.07,.2,.06,.3,.05,.4,-0.6931471805599453,0,3.1,0.05,.2',
    );
    expect(metrics.epochs).toEqual([1, 2]);
    expect(metrics.accuracy).toEqual({ train: [0.1, 0.2], validation: [0.2, 0.3], test: [0.3, 0.4] });
    expect(metrics.loss.test).toEqual([0.06, 0.05]);
    expect(metrics.layers).toEqual([
      { tauOfMean: [2, 3], tauMean: [2, 3.1], tauStd: [0, 0.05], spikeRate: [0.1, 0.2] },
    ]);
  });

  it('treats untested epochs, and losses that are NaN or infinite, as missing', () => {
    const metrics = read('0,.001,NaN,.1,Infinity,.2,,,0,0,2,0,.1');
    expect(metrics.loss).toEqual({ train: [null], validation: [null], test: [null] });
    expect(metrics.accuracy.test).toEqual([null]);
  });

  it('names a missing column', () => {
    expect(() => readMetrics('metrics.csv', 'epoch\n0\n', 'Mend it.')).toThrow(
      'column "train_accuracy" is missing',
    );
  });

  it('names line and column of a cell that is not a number', () => {
    expect(() => read('0,.001,.08,high,.07,.2,.06,.3,0,0,2,0,.1')).toThrow(
      'line 2, column "train_accuracy": expected a number, found "high"',
    );
  });

  it('rejects epochs that are not ascending, and a file without any', () => {
    const row = '0,.001,.08,.1,.07,.2,.06,.3,0,0,2,0,.1';
    expect(() => read(row, row)).toThrow('line 3, column "epoch": 0 follows 0');
    expect(() => read()).toThrow('expected one row per epoch, found none');
  });
});
