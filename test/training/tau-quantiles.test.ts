import { describe, expect, it } from 'vitest';
import { buildNetwork } from '../../src/snn/networks.ts';
import type { Tensor } from '../../src/snn/tensor.ts';
import { formatTauQuantiles, tauQuantiles } from '../../src/training/tau-quantiles.ts';
import { smallNetwork } from './small-task.ts';

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

  it('are written as one row each, with the median for a single τ', () => {
    const layers = (tau: number) => [
      { count: 2, taus: Array.from({ length: 101 }, (_, i) => tau + i / 100) },
      { count: 1, taus: [tau] },
    ];
    const lines = formatTauQuantiles({ chosen: layers(2), last: layers(3) }).split('\n');
    expect(lines[0]).toBe('state,layer,count,quantile,tau');
    expect(lines[1]).toBe('chosen,0,2,0,2');
    expect(lines[26]).toBe('chosen,0,2,0.25,2.25');
    expect(lines[102]).toBe('chosen,1,1,0.5,2');
    expect(lines.slice(-3)).toEqual(['last,0,2,1,4', 'last,1,1,0.5,3', '']);
  });
});
