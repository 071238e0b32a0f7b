import { describe, expect, test } from 'vitest';
import { middleInterval, resampleCrossed, sizeReaching } from '../../src/stats/equal-size.ts';

describe('the size at which a curve reaches a value', () => {
  // 0.8 and 0.7 fall, so both count as 0.75.
  const points = [
    { size: 10, value: 0.5 },
    { size: 20, value: 0.8 },
    { size: 30, value: 0.7 },
    { size: 40, value: 0.9 },
  ];

  test.each([
    [0.5, 10],
    [0.625, 15],
    [0.75, 20],
    [0.825, 35],
    [0.9, 40],
    [0.4, Number.NEGATIVE_INFINITY],
    [0.95, Number.POSITIVE_INFINITY],
  ])('%d is reached at %d', (value, size) => {
    expect(sizeReaching(points, value)).toBeCloseTo(size, 12);
  });

  test('pools as many neighbours as fall', () => {
    const falling = [3, 2, 1, 5].map((value, i) => ({ size: i + 1, value }));
    // All three are 2: reached at the first.
    expect(sizeReaching(falling, 2)).toBe(1);
    expect(sizeReaching(falling, 3.5)).toBeCloseTo(3.5, 12);
  });
});

describe('resampling seeds and users', () => {
  test('draws whole rows and columns, and weights users by their clips', () => {
    // Twice the first user: 2 of 2 clips; one of each: 1 of 4; twice the second: 0 of 6. Half of the samples have one of each.
    const means = resampleCrossed([[[1, 0]]], [1, 3], 4000, ([mean]) => mean!);
    expect(new Set(means)).toEqual(new Set([1, 0.25, 0]));
    // Six standard deviations of a share of one half are 0.047.
    expect(Math.abs(means.filter((mean) => mean === 0.25).length / 4000 - 0.5)).toBeLessThan(0.047);
    const bySeed = resampleCrossed([[[0], [1]].map((row) => row)], [1], 4000, ([mean]) => mean!);
    expect(Math.abs(bySeed.filter((mean) => mean === 0.5).length / 4000 - 0.5)).toBeLessThan(0.047);
  });

  test('draws the same seeds and users for all tables', () => {
    const table = [
      [1, 2],
      [3, 5],
    ];
    const twice = table.map((row) => row.map((sum) => 2 * sum));
    const ratios = resampleCrossed([table, twice], [5, 5], 50, ([one, two]) => two! / one!);
    for (const ratio of ratios) expect(ratio).toBeCloseTo(2, 12);
  });
});

test('the middle 95 % leaves out a fortieth at each end, infinite values first', () => {
  const values = Array.from({ length: 1000 }, (_, i) => 1000 - i);
  expect(middleInterval(values)).toEqual({ low: 26, high: 975 });
  const open = [...values.slice(0, 970), ...new Array<number>(30).fill(Number.NEGATIVE_INFINITY)];
  expect(middleInterval(open)).toEqual({ low: Number.NEGATIVE_INFINITY, high: 975 });
});
