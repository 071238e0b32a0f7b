import { expect, test } from 'vitest';
import {
  cosineOfTurns,
  exponential,
  naturalLog,
  sineOfTurns,
  smoothStep,
} from '../../src/base/portable-math.ts';

test('sine and cosine agree with the standard library to 1e-11, even far from zero', () => {
  for (let turns = -3; turns <= 3; turns += 1 / 512) {
    expect(Math.abs(sineOfTurns(turns) - Math.sin(2 * Math.PI * turns))).toBeLessThan(1e-11);
    expect(Math.abs(cosineOfTurns(turns) - Math.cos(2 * Math.PI * turns))).toBeLessThan(1e-11);
  }
  expect(sineOfTurns(1000.25)).toBeCloseTo(1, 10);
});

test('the natural logarithm agrees with the standard library to 1e-13', () => {
  for (const value of [2 ** -33, 1e-9, 0.1, 0.5, Math.SQRT1_2, 0.999999, 1, 1.5, Math.E, 1000, 2 ** 40]) {
    const expected = Math.log(value);
    expect(Math.abs(naturalLog(value) - expected)).toBeLessThan(1e-13 * Math.max(1, Math.abs(expected)));
  }
});

test('the natural logarithm of an invalid value is an error', () => {
  for (const value of [0, -1, Number.NaN, Infinity]) {
    expect(() => naturalLog(value)).toThrow(RangeError);
  }
});

test('the exponential agrees with the standard library to 1e-13, from 0 to 30', () => {
  for (let x = 0; x <= 30; x += 0.37) expect(Math.abs(exponential(x) / Math.exp(x) - 1)).toBeLessThan(1e-13);
  expect(exponential(30) / Math.exp(30)).toBeCloseTo(1, 13);
});

test('the smooth step goes from 0 through a half to 1 and stays there', () => {
  expect([-1, 0, 0.25, 0.5, 1, 2].map(smoothStep)).toEqual([0, 0, 0.15625, 0.5, 1, 1]);
});
