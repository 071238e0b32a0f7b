import { describe, expect, test } from 'vitest';
import { readJson } from '../../src/base/files/shape.ts';
import { buildNetwork, type NetworkConfig } from '../../src/network/networks.ts';
import type { TauSpec } from '../../src/network/spec.ts';
import { networkConfigShape } from '../../src/results/run-file.ts';
import { resolveModel } from '../../src/training/resolve-model.ts';

/** Every key at every depth: the compiler reports a key that was added to the configuration but not here. */
type Whole<T> = { readonly [K in keyof T]-?: NonNullable<T[K]> };
type WholeNetwork = Omit<Whole<NetworkConfig>, 'tau' | 'reset' | 'surrogate'> & {
  readonly tau: Whole<TauSpec>;
  readonly reset: Whole<NetworkConfig['reset']>;
  readonly surrogate: Whole<NetworkConfig['surrogate']>;
};

/** No network has both `layers` and `steps`; no value equals its default. */
const everything: WholeNetwork = {
  architecture: 'cifar10',
  input: [3, 32, 32],
  classes: 10,
  channels: 5,
  layers: 2,
  steps: 7,
  neuron: 'plif',
  tau: { per: 'channel', mean: 3, std: 0.25, start: 'paper', values: [2.75, 3.25] },
  init: 'gain-matched',
  reset: { kind: 'hard', detach: false, potential: -0.5 },
  surrogate: { kind: 'triangle', alpha: 1.5, learnable: true },
  pooling: 'average',
  threshold: 0.75,
  hidden: 24,
  recurrent: true,
  votes: 4,
  dropout: 0.125,
};

const { layers, steps, architecture, ...common } = everything;
const eventFrames: NetworkConfig = { ...common, input: [2, 16, 16], layers };
const stillImages: NetworkConfig = { ...common, architecture, steps };

function parse(value: unknown): NetworkConfig {
  const source = { file: 'network.json', code: 'network-invalid', fix: '' };
  return readJson(networkConfigShape, JSON.stringify(value), source);
}

describe('a network’s configuration', () => {
  test.each([
    ['event frames', eventFrames],
    ['still images', stillImages],
  ])('survives JSON with every key: %s', (_, config) => {
    expect(parse(config)).toEqual(config);
    expect(buildNetwork(parse(config))).toEqual(buildNetwork(config));
  });

  test.each([
    ['event frames', eventFrames],
    ['still images', stillImages],
  ])(
    'is read from a model file with every key except those set by the data set and the switches: %s',
    (_, config) => {
      const { input: _input, classes: _classes, tau, ...section } = config;
      const { start: _start, ...configured } = tau;
      const network = { ...section, tau: configured };
      const train = { epochs: 1, batchSize: 1, learningRate: 1, cosineHalfPeriod: 1, validationShare: 0.5 };
      const file = { title: 'Model', network, loss: { regulariseTau: 0 }, train };
      expect(resolveModel(file, {}, 'model.yaml').network).toEqual(network);
      expect(Object.keys(resolveModel(file, {}, 'model.yaml').network)).toHaveLength(
        Object.keys(network).length,
      );
    },
  );

  test('is refused naming the invalid key', () => {
    expect(() => parse({ ...eventFrames, votes: 0 })).toThrow(
      'field "votes": expected a whole number from 1',
    );
    expect(() => parse({ ...eventFrames, input: [2, 16] })).toThrow(
      'field "input[2]": expected a whole number from 1, found nothing',
    );
    expect(() => parse({ ...eventFrames, tau: { per: 'layer', mean: '2' } })).toThrow('field "tau.mean"');
  });
});
