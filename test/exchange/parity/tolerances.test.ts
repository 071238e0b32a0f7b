import { describe, expect, it } from 'vitest';
import {
  AdamAllowance,
  NetworkSums,
  roundings,
  toleranceOf,
} from '../../../src/exchange/parity/tolerances.ts';
import { buildNetwork } from '../../../src/network/networks.ts';
import { copyGolden, describeCase, floats, runFolder } from './case-folders.ts';

describe('toleranceOf', () => {
  it('allows seven standard deviations of as many roundings, and nothing without any', () => {
    expect(toleranceOf(1, 1)).toBe(2 ** -22);
    expect(toleranceOf(100, 3)).toBe(30 * 2 ** -22);
    expect(toleranceOf(0, 3)).toBe(0);
  });

  it('is not exceeded by a sum in single precision of 10,000 numbers of one sign, nor of both', () => {
    // Multiples of the golden ratio modulo 1: evenly spread, without a period.
    const numbers = Array.from({ length: 10_000 }, (_, i) => Math.fround((i * 0.6180339887498949) % 1));
    const sumOf = (terms: number[]) => terms.reduce((sum, value) => Math.fround(sum + value), 0);
    const exactSumOf = (terms: number[]) => terms.reduce((sum, value) => sum + value, 0);
    const both = numbers.map((value) => Math.fround(value - 0.5));
    const root = Math.sqrt(both.reduce((sum, value) => sum + value ** 2, 0));
    for (const [terms, magnitude] of [
      [numbers, exactSumOf(numbers)],
      [both, root],
    ] as const) {
      const error = Math.abs(sumOf(terms) - exactSumOf(terms));
      expect(error).toBeGreaterThan(0);
      expect(error).toBeLessThan(toleranceOf(terms.length, magnitude));
    }
  });
});

describe('NetworkSums', () => {
  const spec = buildNetwork({
    input: [2, 4, 4],
    classes: 3,
    channels: 2,
    layers: 1,
    hidden: 5,
    neuron: 'plif',
    tau: { per: 'layer', mean: 2, std: 0 },
    reset: { kind: 'hard', detach: true },
    surrogate: { kind: 'atan', alpha: 2, learnable: false },
    pooling: 'max',
  });
  const initial = new Map([
    ['conv.0.weight', floats([2, 2, 3, 3], ...new Array(36).fill(0.5))],
    ['conv.1.weight', floats([2], 2, 3)],
    ['conv.1.bias', floats([2], 0, 1)],
    ['conv.2.w', floats([], 0)],
  ]);
  const samples = 3;
  const steps = 7;
  const sums = new NetworkSums(spec, initial, samples, steps);
  /** Kernels of 9 · (2 + 2), 16 positions, linear layers 8 -> 5 -> 30, and three layers of neurons. */
  const path = 9 * (2 + 2) + samples * 16 + (8 + 5) + (5 + 30) + 3 * steps * roundings.neuronStep;

  it('counts samples, steps and the outputs that a parameter takes part in, plus the path from the frames to the loss and back', () => {
    expect(sums.ofGradient('conv.0.weight', new Map())).toEqual({ terms: samples * steps * 16 + path });
    expect(sums.ofGradient('conv.1.bias', new Map())).toEqual({ terms: samples * steps * 16 + path });
    // The mean of 3 · 3 errors, in 7 steps, and one variance over each layer's single w.
    expect(sums.loss).toBe(samples * steps * 3 + 3);
  });

  it('takes the scale of a shared gradient from the gradients of what it adds up', () => {
    const gradients = new Map([
      ['conv.1.weight', floats([2], 3, -1)],
      ['conv.1.bias', floats([2], 5, -2)],
      ['conv.0.weight', initial.get('conv.0.weight')!],
    ]);
    // √((3 · 2)² + (−1 · 3)² + (5 · 0)² + (−2 · 1)²)
    expect(sums.ofGradient('conv.2.w', gradients)).toEqual({ terms: samples * steps * 32 + path, scale: 7 });
  });

  it('allows statistics what a doubtful gradient makes of the weights before, and only of later steps', () => {
    const state = new Map([
      ['conv.1.running_mean', floats([2], -3, 1)],
      ['conv.1.running_var', floats([2], 1, 4)],
    ]);
    const allowed = new AdamAllowance();
    const variance = () => sums.ofStatistic('conv.1.running_var', state, allowed);
    expect(variance()).toMatchObject({ scale: 3 * 2, allowance: Float64Array.of(0, 0) });
    expect(sums.ofStatistic('conv.1.running_mean', state, allowed)).toMatchObject({ scale: 3 });
    // A gradient far below its error changes sign: its weight, 0.5, may be off by twice the learning rate.
    const gradient = floats([2, 2, 3, 3], 1, ...new Array(34).fill(1), 1e-7);
    allowed.addStep(
      () => 1e-3,
      new Map([['conv.0.weight', gradient]]),
      () => ({ terms: 1000 }),
    );
    expect(variance().allowance?.[0]).toBeCloseTo(2 * 6 * (2e-3 / 0.5), 2);
  });
});

it.each<[string, Record<string, unknown>]>([
  ['a slope that is 1 % off', { alpha: 2.02 }],
  ['an attached reset', { detach: false }],
  ['a threshold that is a thousandth off', { v_threshold: 1.001 }],
])('a network with %s fails by more than a factor of ten', async (_, change) => {
  const folder = copyGolden('net_neuron_tau');
  Object.assign(describeCase(folder, 'net_neuron_tau'), change);
  const [outcome] = await runFolder(folder);
  expect(Math.max(...outcome!.comparisons.map(({ ofTolerance }) => ofTolerance ?? 0))).toBeGreaterThan(10);
});
