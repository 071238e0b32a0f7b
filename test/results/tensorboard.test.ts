import { describe, expect, it } from 'vitest';
import { decodeEventFile } from '../../src/formats/tfevents.ts';
import { buildNetwork } from '../../src/network/networks.ts';
import type { EpochMetrics } from '../../src/results/metrics.ts';
import { encodeTraining, scalarsOf } from '../../src/results/tensorboard.ts';
import { thesisNetwork } from '../support/thesis-network.ts';

const config = { ...thesisNetwork, input: [2, 8, 8], channels: 2, layers: 1, hidden: 4 } as const;
const perLayer = buildNetwork(config);
const perNeuron = buildNetwork({ ...config, tau: { per: 'neuron', mean: 2, std: 0.1 } });
const lif = buildNetwork({ ...config, neuron: 'lif' });

/** Of the third epoch, of 128 batches each. */
const third: EpochMetrics = {
  epoch: 2,
  learningRate: 0.001,
  train: { loss: 0.5, accuracy: 0.25 },
  validation: { loss: 0.125, accuracy: 0.75 },
  test: { loss: 0.25, accuracy: 0.5 },
  layers: [0.5, 0.25, -0.125].map((wMean) => ({
    wMean,
    wStd: 2,
    tauMean: 3,
    tauStd: 4,
    tauChange: 5,
    spikeRate: 0.1,
  })),
  batches: 384,
  logged: [{ step: 256, loss: 0.375, accuracy: 0.875 }],
  first: [],
};

const show = (scalars: readonly { tag: string; step: number; value: number }[]) =>
  scalars.map(({ tag, step, value }) => `${tag} ${step} ${value}`);

describe('scalarsOf', () => {
  it('gives the tags and steps of the original, in its order', () => {
    expect(show(scalarsOf(perNeuron, third))).toEqual([
      'train_accuracy 256 0.875',
      'train_loss 256 0.375',
      'test_accuracy 2 0.5',
      'val_accuracy 2 0.75',
      'w0 384 0.5',
      'w_std0 384 2',
      'w1 384 0.25',
      'w_std1 384 2',
      'w2 384 -0.125',
      'w_std2 384 2',
    ]);
  });

  it('has no spread for a τ that a layer shares, and nothing for a τ that is not learned', () => {
    const tags = (spec: typeof lif) => scalarsOf(spec, third).map(({ tag }) => tag);
    const others = ['train_accuracy', 'train_loss', 'test_accuracy', 'val_accuracy'];
    expect(tags(perLayer)).toEqual([...others, 'w0', 'w1', 'w2']);
    expect(tags(lif)).toEqual(others);
  });

  it('omits the test accuracy of an epoch that was not tested', () => {
    expect(show(scalarsOf(lif, { ...third, test: null, logged: [] }))).toEqual(['val_accuracy 2 0.75']);
  });
});

describe('encodeTraining', () => {
  it('writes every epoch into one file, at the given times', () => {
    const rows = [{ ...third, epoch: 1 }, third];
    const file = encodeTraining(lif, rows, ({ epoch }) => epoch);
    const { scalars, truncatedAt } = decodeEventFile(file, 'events');
    expect(truncatedAt).toBeNull();
    expect(scalars.map(({ wallTimeSeconds }) => wallTimeSeconds)).toEqual([1, 1, 1, 1, 2, 2, 2, 2]);
    expect(show(scalars)).toEqual(show(rows.flatMap((row) => scalarsOf(lif, row))));
  });
});
