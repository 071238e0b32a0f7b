import { expect, it } from 'vitest';
import { adoptEdits } from '../../src/explore/adopt-edits.ts';
import { applyEdits } from '../../src/explore/edits.ts';
import type { NetworkValues } from '../../src/explore/messages.ts';
import { stateOf, valuesOf } from '../../src/explore/network-values.ts';
import { NO_EDITS } from '../../src/explore/view-state.ts';
import { prepareNetwork } from '../../src/snn/forward.ts';
import { initialState } from '../../src/snn/initialise.ts';
import { buildNetwork, type NetworkConfig } from '../../src/snn/networks.ts';
import { smallNetwork } from '../training/small-task.ts';

function networkOf(config: NetworkConfig): NetworkValues {
  return { config, values: valuesOf(config, initialState(buildNetwork(config), 2020)) };
}

const neuronsOf = (network: NetworkValues) =>
  prepareNetwork(buildNetwork(network.config), stateOf(network)).neurons;

const all = { layer: null, neuron: null, factor: 2 };
const layer = { layer: 1, neuron: null, factor: 0.9 };
const one = { layer: 1, neuron: 3, factor: 1.5 };

it('the network to train has the neurons of the page, changed by the reader, where each has its own τ', () => {
  const network = networkOf(smallNetwork);
  const edits = { tau: [all, layer, one], threshold: 1.5, reset: 'soft' } as const;
  const expected = applyEdits(neuronsOf(network), edits);
  const { network: changed, adopted } = adoptEdits(network, edits);
  expect(adopted).toEqual([all, layer, one]);
  for (const [at, { leaks, threshold, reset }] of neuronsOf(changed).entries()) {
    expect([threshold, reset]).toEqual([1.5, { kind: 'soft', detach: true }]);
    expect(leaks.length).toBe(expected[at]!.leaks.length);
    for (const [i, leak] of leaks.entries()) expect(leak).toBeCloseTo(expected[at]!.leaks[i]!, 6);
  }
});

it('a change of one neuron is left out where neurons share τ, and any change of τ where it is not learned', () => {
  const shared = networkOf({ ...smallNetwork, tau: { per: 'layer', mean: 3, std: 0 } });
  const { network, adopted } = adoptEdits(shared, { ...NO_EDITS, tau: [all, one] });
  expect(adopted).toEqual([all]);
  for (const { leaks } of neuronsOf(network)) for (const leak of leaks) expect(leak).toBeCloseTo(1 / 6, 6);
  const fixed = networkOf({ ...smallNetwork, neuron: 'lif', tau: { per: 'layer', mean: 3, std: 0 } });
  expect(adoptEdits(fixed, { ...NO_EDITS, tau: [all] }).adopted).toEqual([]);
});

it('a τ below one step becomes one that can be learned, and values without changes stay as they are', () => {
  const network = networkOf(smallNetwork);
  const { network: fast } = adoptEdits(network, { ...NO_EDITS, tau: [{ ...all, factor: 0.25 }] });
  expect(fast.values.every(Number.isFinite)).toBe(true);
  for (const { leaks } of neuronsOf(fast)) for (const leak of leaks) expect(leak).toBeCloseTo(1 / 1.001, 6);
  expect(adoptEdits(network, NO_EDITS).network).toEqual(network);
});
