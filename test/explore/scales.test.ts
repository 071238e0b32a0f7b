import { expect, test } from 'vitest';
import {
  countOnLogAxis,
  formatValue,
  linearScale,
  linearTicks,
  logDomain,
  logScale,
  logTicks,
  spreadOf,
} from '../../src/explore/scales.ts';

test('a linear scale may run upwards, as potentials do on a screen', () => {
  const scale = linearScale([-1, 3], [100, 0]);
  expect([-1, 0, 1, 3].map(scale)).toEqual([100, 75, 50, 0]);
});

test('on a logarithmic scale, equal factors are equal distances', () => {
  const scale = logScale([1, 16], [0, 40]);
  for (const [tau, place] of [
    [1, 0],
    [2, 10],
    [4, 20],
    [16, 40],
  ] as const) {
    expect(scale(tau)).toBeCloseTo(place, 10);
  }
});

test('ticks are round numbers inside the domain', () => {
  expect(linearTicks([-0.11, 1.96], 5)).toEqual([0, 0.5, 1, 1.5]);
  expect(linearTicks([1, 16], 8)).toEqual([2, 4, 6, 8, 10, 12, 14, 16]);
  expect(linearTicks([-1.3, 0.2], 2)).toEqual([-1, 0]);
  expect(logTicks([0.5, 30])).toEqual([0.5, 1, 2, 5, 10, 20]);
});

test('a short logarithmic axis has ticks between 1, 2 and 5', () => {
  expect(logTicks([1.6, 3.2])).toEqual([2, 2.5, 3]);
});

test('numbers have three digits at most and a minus sign', () => {
  expect([0.1007, -1.254, 12, 0.0001, -0.0001, 1234.4].map(formatValue)).toEqual([
    '0.101',
    '−1.25',
    '12',
    '0',
    '0',
    '1230',
  ]);
});

test('values outside the axis count in its first or last bin', () => {
  // Bins from 1 to 2, 2 to 4 and 4 to 8.
  expect(countOnLogAxis([0.3, 1.5, 2.1, 3.9, 5, 8, 100], [1, 8], 3)).toEqual([2, 2, 3]);
});

test('an axis of τ holds all of them, and a factor of two when they are equal', () => {
  expect(spreadOf(Float32Array.of(4, 2, 3, 8))).toEqual({ low: 2, median: 3, high: 8 });
  const [low, high] = logDomain(2, 8);
  expect([low < 2, high > 8]).toEqual([true, true]);
  const [narrowLow, narrowHigh] = logDomain(2, 2);
  expect(narrowHigh / narrowLow).toBeCloseTo(2, 10);
});
