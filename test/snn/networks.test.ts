import { describe, expect, it } from 'vitest';
import { buildNetwork } from '../../src/snn/networks.ts';
import { dropoutLayers, spikingLayers } from '../../src/snn/spec.ts';
import { ShapeError } from '../../src/snn/tensor.ts';
import { thesisNetwork } from '../support/thesis-network.ts';

describe('buildNetwork', () => {
  it('gives the thesis network: five blocks, 512 hidden neurons, ten votes for each of 11 classes', () => {
    const { layers } = buildNetwork(thesisNetwork);
    expect(layers.map(({ kind }) => kind)).toEqual([
      ...Array.from({ length: 5 }, () => ['conv', 'batch-norm', 'neuron', 'pool']).flat(),
      'flatten',
      'dropout',
      'linear',
      'neuron',
      'dropout',
      'linear',
      'neuron',
      'vote',
    ]);
    expect(layers.filter(({ kind }) => kind === 'linear')).toMatchObject([
      { inFeatures: 128 * 4 * 4, outFeatures: 512 },
      { inFeatures: 512, outFeatures: 110 },
    ]);
  });

  it('rounds odd sizes down in pools: 34, 17, 8', () => {
    const spec = buildNetwork({ ...thesisNetwork, input: [2, 34, 34], layers: 2, channels: 16, classes: 10 });
    expect(spikingLayers(spec).map(({ shape }) => shape)).toEqual([[16, 34, 34], [16, 17, 17], [256], [100]]);
    expect(dropoutLayers(spec).map(({ features }) => features)).toEqual([1024, 256]);
  });

  it('takes hidden width, votes, dropout and threshold from the configuration', () => {
    const spec = buildNetwork({ ...thesisNetwork, hidden: 24, votes: 3, dropout: 0.25, threshold: 0.5 });
    expect(spec.layers.at(-1)).toEqual({ kind: 'vote', group: 3 });
    expect(spikingLayers(spec).at(-1)?.shape).toEqual([33]);
    expect(spikingLayers(spec)[0]?.neuron.threshold).toBe(0.5);
    expect(dropoutLayers(spec)).toMatchObject([
      { probability: 0.25, features: 2048 },
      { probability: 0.25, features: 24 },
    ]);
  });

  it.each([
    [{ layers: 8 }, /8 layers halve a frame of 128 x 128 to nothing; at most 7 fit/],
    [{ channels: 0 }, /channels must be a whole number of at least 1, got 0/],
    [
      { channels: 100_000 },
      /conv\.4\.weight of shape \[100000, 100000, 3, 3\] would have 90,000,000,000 values; at most 2,147,483,647 fit/,
    ],
    [{ classes: 2.5 }, /classes must be a whole number/],
    [{ dropout: 1 }, /dropout must be at least 0 and below 1, got 1/],
    [{ tau: { per: 'layer', mean: 1, std: 0 } }, /τ must be more than 1 time step/],
    [{ tau: { per: 'neuron', mean: 2, std: -0.1 } }, /standard deviation of τ must be at least 0, got -0.1/],
    [
      { surrogate: { kind: 'atan', alpha: 0, learnable: true } },
      /surrogate's slope must be more than 0, got 0/,
    ],
    [
      { reset: { kind: 'hard', detach: true, potential: 1 } },
      /reset potential must be below the threshold of 1, got 1/,
    ],
    [{ threshold: 0 }, /reset potential must be below the threshold of 0, got 0/],
  ] as const)('refuses %j', (change, message) => {
    expect(() => buildNetwork({ ...thesisNetwork, ...change })).toThrow(ShapeError);
    expect(() => buildNetwork({ ...thesisNetwork, ...change })).toThrow(message);
  });
});
