import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../src/formats/tensor.ts';
import { countDenseOperations } from '../../src/network/cost.ts';
import { buildNetwork, type NetworkConfig } from '../../src/network/networks.ts';
import {
  countParameters,
  dropoutLayers,
  type NetworkSpec,
  spikingLayers,
  stateEntries,
} from '../../src/network/spec.ts';
import { cifar10Dvs, cifar10Network, mnistNetwork } from '../support/still-networks.ts';
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

  it('reads the frames in its first linear layer if it has no blocks', () => {
    const linear = buildNetwork({ ...thesisNetwork, input: [2, 1, 16], layers: 0, classes: 4 });
    expect(outline(linear)).toBe(
      'flatten > dropout > fc.2 linear > fc.3 neuron > dropout > fc.5 linear > fc.6 neuron > vote',
    );
    expect(linear.layers.filter(({ kind }) => kind === 'linear')).toMatchObject([
      { inFeatures: 32, outFeatures: 8 },
      { inFeatures: 8, outFeatures: 40 },
    ]);
    // Each step multiplies 32 · 8 and 8 · 40 times.
    expect(countDenseOperations(linear, 3)).toBe(3 * (256 + 320));
  });

  it('has a hidden layer for each width of a list', () => {
    const spec = buildNetwork({ ...thesisNetwork, input: [2, 1, 16], layers: 0, classes: 4, hidden: [8, 6] });
    expect(outline(spec)).toBe(
      'flatten > dropout > fc.2 linear > fc.3 neuron > dropout > fc.5 linear > fc.6 neuron > dropout > fc.8 linear > fc.9 neuron > vote',
    );
    expect(spikingLayers(spec).map(({ shape }) => shape)).toEqual([[8], [6], [40]]);
    const still = buildNetwork({ ...mnistNetwork, hidden: [50, 30] });
    expect(spikingLayers(still).slice(-3)).toMatchObject([
      { shape: [50] },
      { shape: [30] },
      { shape: [100] },
    ]);
  });

  it('leaves out dropouts of 0, and counts them in the names of later layers as PyTorch would', () => {
    const spec = buildNetwork({ ...thesisNetwork, input: [2, 4, 4], layers: 0, hidden: 8, dropout: 0 });
    expect(outline(spec)).toBe('flatten > fc.2 linear > fc.3 neuron > fc.5 linear > fc.6 neuron > vote');
  });

  it.each([
    [{ layers: 8 }, /8 layers halve a frame of 128 x 128 to nothing; at most 7 fit/],
    [
      { channels: 100_000 },
      /conv\.4\.weight of shape \[100000, 100000, 3, 3\] would have 90,000,000,000 values; at most 2,147,483,647 fit/,
    ],
    [{ tau: { per: 'layer', mean: 1, std: 0 } }, /τ must be more than 1 time step/],
    [
      { reset: { kind: 'hard', detach: true, potential: 1 } },
      /reset potential must be below the threshold of 1, got 1/,
    ],
    [{ dropout: 1.5 }, /dropout must be at least 0 and below 1, got 1\.5/],
    [{ surrogate: { kind: 'atan', alpha: -2, learnable: false } }, /alpha must be more than 0, got -2/],
    [{ hidden: [8, 0] }, /hidden must be a whole number from 1, got 0/],
    [{ hidden: [] }, /hidden must name at least one layer/],
    [{ channels: 0 }, /channels must be a whole number from 1, got 0/],
    [{ threshold: 0, reset: { kind: 'soft', detach: true } }, /threshold must be more than 0, got 0/],
  ] as const)('refuses %j', (change, message) => {
    expect(() => buildNetwork({ ...thesisNetwork, ...change })).toThrow(ShapeError);
    expect(() => buildNetwork({ ...thesisNetwork, ...change })).toThrow(message);
  });
});

/** Kinds of layers, with PyTorch's name if a layer has one. */
const outline = ({ layers }: NetworkSpec): string =>
  layers.map((layer) => ('name' in layer ? `${layer.name} ${layer.kind}` : layer.kind)).join(' > ');

describe('the network for MNIST', () => {
  const spec = buildNetwork(mnistNetwork);

  it('convolves the still image once, repeats the result at every step, and names its layers as PyTorch does', () => {
    expect(outline(spec)).toBe(
      'static_conv.0 conv > static_conv.1 batch-norm > repeat > conv.0 neuron > pool > ' +
        'conv.2 conv > conv.3 batch-norm > conv.4 neuron > pool > flatten > dropout > ' +
        'fc.2 linear > fc.3 neuron > dropout > fc.5 linear > fc.6 neuron > vote',
    );
    expect(spec.layers[2]).toEqual({ kind: 'repeat', steps: 8 });
  });

  it('has neurons of these shapes and two dropouts', () => {
    expect(spikingLayers(spec).map(({ shape }) => shape)).toEqual([
      [128, 28, 28],
      [128, 14, 14],
      [2048],
      [100],
    ]);
    expect(dropoutLayers(spec).map(({ features }) => features)).toEqual([128 * 7 * 7, 2048]);
  });

  it('has 13,198,980 parameters', () => {
    const convolutions = 9 * (1 * 128 + 128 * 128);
    const linear = 128 * 7 * 7 * 2048 + 2048 * 100;
    const [norms, taus] = [2 * (128 + 128), 4];
    expect(convolutions + linear + norms + taus).toBe(13_198_980);
    expect(countParameters(spec)).toBe(13_198_980);
  });
});

describe('the network for CIFAR10', () => {
  const spec = buildNetwork(cifar10Network);

  it('has a block of two and a block of three convolutions, and no dropout before the last linear layer', () => {
    expect(outline(spec)).toBe(
      'static_conv.0 conv > static_conv.1 batch-norm > repeat > conv.0 neuron > conv.1 conv > ' +
        'conv.2 batch-norm > conv.3 neuron > conv.4 conv > conv.5 batch-norm > conv.6 neuron > ' +
        'pool > conv.8 conv > conv.9 batch-norm > conv.10 neuron > conv.11 conv > ' +
        'conv.12 batch-norm > conv.13 neuron > conv.14 conv > conv.15 batch-norm > ' +
        'conv.16 neuron > pool > flatten > dropout > fc.2 linear > fc.3 neuron > fc.4 linear > ' +
        'fc.5 neuron > vote',
    );
  });

  it('has neurons of these shapes and one dropout', () => {
    expect(spikingLayers(spec).map(({ shape }) => shape)).toEqual([
      ...Array.from({ length: 3 }, () => [256, 32, 32]),
      ...Array.from({ length: 3 }, () => [256, 16, 16]),
      [2048],
      [100],
    ]);
    expect(dropoutLayers(spec)).toEqual([{ kind: 'dropout', probability: 0.5, features: 256 * 8 * 8 }]);
  });

  it('has 36,718,344 parameters', () => {
    const convolutions = 9 * (3 * 256 + 5 * 256 * 256);
    const linear = 256 * 8 * 8 * 2048 + 2048 * 100;
    const [norms, taus] = [6 * 2 * 256, 8];
    expect(convolutions + linear + norms + taus).toBe(36_718_344);
    expect(countParameters(spec)).toBe(36_718_344);
  });
});

it('the network for CIFAR10-DVS is the one for event frames: four blocks, 2048 hidden neurons, 17,427,718 parameters', () => {
  const spec = buildNetwork(cifar10Dvs);
  expect(spikingLayers(spec).map(({ shape }) => shape)).toEqual([
    [128, 128, 128],
    [128, 64, 64],
    [128, 32, 32],
    [128, 16, 16],
    [2048],
    [100],
  ]);
  const convolutions = 9 * (2 * 128 + 3 * 128 * 128);
  const linear = 128 * 8 * 8 * 2048 + 2048 * 100;
  expect(countParameters(spec)).toBe(convolutions + linear + 4 * 2 * 128 + 6);
  expect(countParameters(spec)).toBe(17_427_718);
});

describe('a network for still images', () => {
  it('takes widths, pooling, votes and dropout from the configuration', () => {
    const spec = buildNetwork({
      ...mnistNetwork,
      channels: 4,
      hidden: 16,
      pooling: 'average',
      votes: 3,
      dropout: 0.2,
    });
    expect(stateEntries(spec).filter(({ name }) => name.endsWith('.weight'))).toMatchObject([
      { name: 'static_conv.0.weight', shape: [4, 1, 3, 3] },
      { name: 'static_conv.1.weight', shape: [4] },
      { name: 'conv.2.weight', shape: [4, 4, 3, 3] },
      { name: 'conv.3.weight', shape: [4] },
      { name: 'fc.2.weight', shape: [16, 196] },
      { name: 'fc.5.weight', shape: [30, 16] },
    ]);
    expect(spec.layers.filter(({ kind }) => kind === 'pool')).toMatchObject([
      { mode: 'average', size: 2 },
      { mode: 'average', size: 2 },
    ]);
    expect(dropoutLayers(spec)[0]?.probability).toBe(0.2);
  });

  const without = (config: NetworkConfig, key: 'layers' | 'steps'): NetworkConfig => {
    const { [key]: _, ...rest } = config;
    return rest;
  };

  it.each<[string, NetworkConfig, RegExp]>([
    [
      'frames of another size',
      { ...mnistNetwork, input: [1, 32, 32] },
      /mnist takes images \[1, 28, 28\], got \[1, 32, 32\]/,
    ],
    [
      'a number of blocks',
      { ...mnistNetwork, layers: 2 },
      /layers is for event-frames, as mnist has its own/,
    ],
    ['no number of steps', without(cifar10Network, 'steps'), /cifar10 needs steps/],
    ['steps where the frames bring them', { ...cifar10Dvs, steps: 20 }, /steps is for still images.*got 20/],
    ['event frames without a number of blocks', without(cifar10Dvs, 'layers'), /event-frames needs layers/],
  ])('rejects %s', (_, config, message) => {
    expect(() => buildNetwork(config)).toThrow(ShapeError);
    expect(() => buildNetwork(config)).toThrow(message);
  });
});
