import { describe, expect, it } from 'vitest';
import { buildNetwork, type NetworkConfig } from '../../src/network/networks.ts';
import { countParameters, stateEntries } from '../../src/network/spec.ts';
import { thesisNetwork } from '../support/thesis-network.ts';

const names = (config: NetworkConfig): string[] => stateEntries(buildNetwork(config)).map(({ name }) => name);
const shapeOf = (config: NetworkConfig, name: string) =>
  stateEntries(buildNetwork(config)).find((entry) => entry.name === name)?.shape;

describe('stateEntries', () => {
  it('names tensors as PyTorch does, in the order of its state_dict', () => {
    expect(
      names({
        ...thesisNetwork,
        channels: 2,
        layers: 1,
        surrogate: { kind: 'atan', alpha: 2, learnable: true },
      }),
    ).toEqual([
      'conv.0.weight',
      'conv.1.weight',
      'conv.1.bias',
      'conv.1.running_mean',
      'conv.1.running_var',
      'conv.1.num_batches_tracked',
      'conv.2.w',
      'conv.2.surrogate_function.alpha',
      'fc.2.weight',
      'fc.3.w',
      'fc.3.surrogate_function.alpha',
      'fc.5.weight',
      'fc.6.w',
      'fc.6.surrogate_function.alpha',
    ]);
  });

  it('gives w the shape of the layer if τ is per neuron, its channels if it is per channel, and omits it if τ is fixed', () => {
    const perChannel: NetworkConfig = { ...thesisNetwork, tau: { per: 'channel', mean: 2, std: 0.1 } };
    const perNeuron: NetworkConfig = { ...thesisNetwork, tau: { per: 'neuron', mean: 2, std: 0.1 } };
    expect(shapeOf(thesisNetwork, 'conv.6.w')).toEqual([]);
    expect(shapeOf(perChannel, 'conv.6.w')).toEqual([1, 128, 1, 1]);
    expect(shapeOf(perChannel, 'fc.6.w')).toEqual([1, 110]);
    expect(shapeOf(perNeuron, 'conv.6.w')).toEqual([1, 128, 64, 64]);
    expect(shapeOf(perNeuron, 'fc.6.w')).toEqual([1, 110]);
    expect(names({ ...thesisNetwork, neuron: 'lif' }).filter((name) => name.endsWith('.w'))).toEqual([]);
  });
});

describe('countParameters', () => {
  it('counts the parameters of the thesis network: 1,698,311, or 4,492,398 with τ per neuron', () => {
    // Convolutions, batch norm, linear layers, and one τ for each of 7 layers or for each of 2,794,094 neurons.
    const others = 9 * 128 * (2 + 4 * 128) + 5 * 2 * 128 + 512 * 2048 + 110 * 512;
    expect(countParameters(buildNetwork(thesisNetwork))).toBe(others + 7);
    expect(
      countParameters(buildNetwork({ ...thesisNetwork, tau: { per: 'neuron', mean: 2, std: 0.1 } })),
    ).toBe(others + 2_794_094);
  });
});
