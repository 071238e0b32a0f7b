import { expect, test } from 'vitest';
import {
  countOnLogAxis,
  drawTaus,
  linearScale,
  linearTicks,
  logDomain,
  logScale,
} from '../../src/explore/charts.ts';
import { formatValue } from '../../src/explore/words.ts';

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
});

test('the axis of τ has the powers of two', () => {
  const figure = drawTaus(Float32Array.of(1.5, 3, 9), null, logDomain(1.5, 9));
  expect(figure.match(/(?<=>)[\d.]+(?=<)/g)).toEqual(['2', '4', '8']);
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
