import { expect, test } from 'vitest';
import { countOnLogAxis, linearScale, logDomain, logScale } from '../../../src/report/explorable/charts.ts';

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

test('values are counted in bins of equal factors', () => {
  // Bins from 1 to 2, 2 to 4 and 4 to 8.
  expect(countOnLogAxis(Float32Array.of(1.5, 2.1, 3.9, 5, 7, 7.9), [1, 8], 3)).toEqual([1, 2, 3]);
});

test('an axis of τ holds all of them, and a factor of two when they are equal', () => {
  const [low, high] = logDomain(2, 8);
  expect([low < 2, high > 8]).toEqual([true, true]);
  const [narrowLow, narrowHigh] = logDomain(2, 2);
  expect(narrowHigh / narrowLow).toBeCloseTo(2, 10);
});
