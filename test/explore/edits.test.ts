import { expect, it } from 'vitest';
import { adoptEdits, applyEdits, setTauFactor } from '../../src/explore/edits.ts';
import type { NetworkValues } from '../../src/explore/messages.ts';
import { stateOf, valuesOf } from '../../src/explore/network-values.ts';
import { type Edits, NO_EDITS } from '../../src/explore/view-state.ts';
import { type Neurons, prepareNetwork } from '../../src/snn/forward.ts';
import { initialState } from '../../src/snn/initialise.ts';
import { buildNetwork, type NetworkConfig } from '../../src/snn/networks.ts';
import { smallNetwork } from '../training/small-task.ts';

const LAYERS: readonly Neurons[] = [
  // τ = 2, 4, 10/3 and 1.25; 0.3 is not exact in single precision.
  layer([0.5, 0.25, 0.3, 0.8]),
  layer([0.5, 0.3]),
];

function layer(leaks: readonly number[]): Neurons {
  const reset = { kind: 'hard', potential: 0.1, detach: true } as const;
  return { shape: [leaks.length, 1, 1], leaks: Float32Array.from(leaks), threshold: 1, reset };
}

function change(edits: Partial<Edits>): Neurons[] {
  return applyEdits(LAYERS, { ...NO_EDITS, ...edits });
}

it('without changes, the neurons are as trained', () => {
  expect(change({})).toEqual(LAYERS);
});

it('τ of one neuron is multiplied, and every other leak stays the same to the last bit', () => {
  const [first, second] = change({ tau: { '0.1': 2 } });
  expect(first?.leaks).toEqual(Float32Array.of(0.5, 0.125, 0.3, 0.8));
  expect(second).toEqual(LAYERS[1]);
});

it('factors of a neuron, its layer and all layers multiply', () => {
  const tau = { all: 4, '0': 0.5, '0.0': 2 };
  const [first, second] = change({ tau });
  // 2 · 4 · 0.5 · 2 = 8; 4 · 2 = 8; 1.25 · 2 = 2.5
  expect(first?.leaks[0]).toBe(0.125);
  expect(first?.leaks[1]).toBe(0.125);
  expect(first?.leaks[3]).toBeCloseTo(0.4, 6);
  expect(second?.leaks[0]).toBe(0.125);
});

it('factors that cancel out leave the exact leak', () => {
  const tau = { all: 4, '1': 0.25 };
  expect(change({ tau })[1]?.leaks).toEqual(LAYERS[1]?.leaks);
});

it('τ is at least one step', () => {
  // 2, 4, 10/3 and 1.25 halved
  expect(change({ tau: { '0': 0.5 } })[0]?.leaks).toEqual(Float32Array.of(1, 0.5, 0.6, 1));
});

it('the threshold and the kind of reset are those of all layers', () => {
  expect(change({ threshold: 0.5 }).map(({ threshold }) => threshold)).toEqual([0.5, 0.5]);
  expect(change({ reset: 'soft' })[1]?.reset).toEqual({ kind: 'soft', detach: true });
});

it('a chosen reset that is the trained one keeps its potential; one that was soft goes to 0', () => {
  expect(change({ reset: 'hard' })[0]?.reset).toEqual({ kind: 'hard', potential: 0.1, detach: true });
  const soft: Neurons = { ...LAYERS[0]!, reset: { kind: 'soft', detach: false } };
  expect(applyEdits([soft], { ...NO_EDITS, reset: 'hard' })[0]?.reset).toEqual({
    kind: 'hard',
    potential: 0,
    detach: false,
  });
});

it('a target has one factor, and none at 1', () => {
  const halved = setTauFactor(setTauFactor(NO_EDITS, '1', 2), '1', 0.5);
  expect(halved.tau).toEqual({ 1: 0.5 });
  expect(setTauFactor(halved, '1', 1)).toEqual(NO_EDITS);
});

function networkOf(config: NetworkConfig): NetworkValues {
  return { config, values: valuesOf(config, initialState(buildNetwork(config), 2020)) };
}

const neuronsOf = (network: NetworkValues) =>
  prepareNetwork(buildNetwork(network.config), stateOf(network)).neurons;

it('the network to train has the neurons of the page, changed by the reader, where each has its own τ', () => {
  const network = networkOf(smallNetwork);
  const edits = { tau: { all: 2, '1': 0.9, '1.3': 1.5 }, threshold: 1.5, reset: 'soft' } as const;
  const expected = applyEdits(neuronsOf(network), edits);
  const { network: changed, left } = adoptEdits(network, edits);
  expect(left).toEqual({ ...edits, tau: {} });
  for (const [at, { leaks, threshold, reset }] of neuronsOf(changed).entries()) {
    expect([threshold, reset]).toEqual([1.5, { kind: 'soft', detach: true }]);
    expect(leaks.length).toBe(expected[at]!.leaks.length);
    for (const [i, leak] of leaks.entries()) expect(leak).toBeCloseTo(expected[at]!.leaks[i]!, 6);
  }
});

it('a change of one neuron is left out where neurons share τ, and any change of τ where it is not learned', () => {
  const shared = networkOf({ ...smallNetwork, tau: { per: 'layer', mean: 3, std: 0 } });
  const { network, left } = adoptEdits(shared, { ...NO_EDITS, tau: { all: 2, '1.3': 1.5 } });
  expect(left.tau).toEqual({ '1.3': 1.5 });
  for (const { leaks } of neuronsOf(network)) for (const leak of leaks) expect(leak).toBeCloseTo(1 / 6, 6);
  const fixed = networkOf({ ...smallNetwork, neuron: 'lif', tau: { per: 'layer', mean: 3, std: 0 } });
  expect(adoptEdits(fixed, { ...NO_EDITS, tau: { all: 2 } }).left.tau).toEqual({ all: 2 });
});

it('a τ below one step becomes one that can be learned, and values without changes stay as they are', () => {
  const network = networkOf(smallNetwork);
  const { network: fast } = adoptEdits(network, { ...NO_EDITS, tau: { all: 0.25 } });
  expect(fast.values.every(Number.isFinite)).toBe(true);
  for (const { leaks } of neuronsOf(fast)) for (const leak of leaks) expect(leak).toBeCloseTo(1 / 1.001, 6);
  expect(adoptEdits(network, NO_EDITS).network).toEqual(network);
});
