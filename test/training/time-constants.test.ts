import { describe, expect, it } from 'vitest';
import type { State, Tensor } from '../../src/formats/tensor.ts';
import { buildNetwork } from '../../src/network/networks.ts';
import { tauQuantiles, tauStatistics } from '../../src/training/time-constants.ts';
import { smallNetwork } from './small-task.ts';

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

const spec = buildNetwork(smallNetwork);

/** Logits of these time constants: w = −ln(τ − 1). */
const logitsOf = (...taus: number[]): Tensor => ({
  dtype: 'F32',
  shape: [taus.length],
  data: Float32Array.from(taus, (tau) => -Math.log(tau - 1)),
});

const stateWith = (conv: Tensor) =>
  new Map([
    ['conv.2.w', conv],
    ['fc.3.w', logitsOf(2.5)],
  ]);

describe('the quantiles of the time constants', () => {
  it('run from the smallest τ to the largest, interpolated between neurons', () => {
    const logits = logitsOf(4, 2, 3, 1.5, 2.5);
    const before = Float32Array.from(logits.data as Float32Array);
    const [conv] = tauQuantiles(spec, stateWith(logits));
    expect(conv?.count).toBe(5);
    expect(conv?.taus).toHaveLength(101);
    // Neurons lie at the quantiles 0, 0.25, 0.5, 0.75 and 1; 0.1 is four tenths of the way to the second.
    const at = (quantile: number) => conv?.taus[quantile];
    expect([at(0), at(25), at(50), at(75), at(100)].map((tau) => tau?.toFixed(5))).toEqual(
      [1.5, 2, 2.5, 3, 4].map((tau) => tau.toFixed(5)),
    );
    expect(at(10)).toBeCloseTo(1.5 + 0.4 * 0.5, 6);
    // The state is the engine's, and must not be sorted.
    expect(logits.data).toEqual(before);
  });

  it('are a single value for a layer with one τ, learned or fixed', () => {
    const [, hidden, output] = tauQuantiles(spec, stateWith(logitsOf(2)));
    expect(hidden).toEqual({ count: 1, taus: [expect.closeTo(2.5, 6)] });
    // Without logits, the τ of the specification.
    expect(output).toEqual({ count: 1, taus: [expect.closeTo(2, 12)] });
  });
});
