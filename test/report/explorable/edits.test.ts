import { expect, it } from 'vitest';
import type { Neurons } from '../../../src/network/forward.ts';
import { applyEdits, type Edits, NO_EDITS, setTauFactor } from '../../../src/report/explorable/view-state.ts';

const LAYERS: readonly Neurons[] = [
  // τ = 2, 4, 10/3 and 1.25; 0.3 is not exact in single precision.
  layer([0.5, 0.25, 0.3, 0.8]),
  layer([0.5, 0.3]),
];

function layer(leaks: readonly number[]): Neurons {
  const shape = [leaks.length, 1, 1] as const;
  return { shape, leaks: Float32Array.from(leaks), threshold: 1, reset: 'hard', rest: 0.1 };
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

it('every neuron gets its layer’s mean τ, which factors then multiply; equal τ stay the same to the last bit', () => {
  // (2 + 4 + 10/3 + 1.25) / 4, and (2 + 10/3) / 2 = 8/3
  const [first, second] = change({ layerMean: true, tau: { '1.0': 3 } });
  expect(first?.leaks).toEqual(new Float32Array(4).fill(4 / (2 + 4 + 1 / Math.fround(0.3) + 1.25)));
  expect(second?.leaks[0]).toBeCloseTo(1 / 8, 6);
  expect(second?.leaks[1]).toBeCloseTo(3 / 8, 6);
  const equal = layer(new Array(700).fill(0.3));
  expect(applyEdits([equal], { ...NO_EDITS, layerMean: true })[0]?.leaks).toEqual(equal.leaks);
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
  expect(change({ reset: 'soft' })[1]).toMatchObject({ reset: 'soft', rest: 0 });
});

it('a chosen reset that is the trained one keeps its potential; one that was soft goes to 0', () => {
  expect(change({ reset: 'hard' })).toEqual(LAYERS);
  const soft: Neurons = { ...LAYERS[0]!, reset: 'soft', rest: 0 };
  expect(applyEdits([soft], { ...NO_EDITS, reset: 'hard' })[0]).toMatchObject({ reset: 'hard', rest: 0 });
});

it('a target has one factor, and none at 1', () => {
  const halved = setTauFactor(setTauFactor(NO_EDITS, '1', 2), '1', 0.5);
  expect(halved.tau).toEqual({ 1: 0.5 });
  expect(setTauFactor(halved, '1', 1)).toEqual(NO_EDITS);
});
