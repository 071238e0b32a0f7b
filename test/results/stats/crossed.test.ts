import { describe, expect, test } from 'vitest';
import {
  crossedMean,
  equivalencePower,
  middleInterval,
  resampleCrossed,
  sizeReaching,
  smallestDetectable,
  spreadInterval,
  spreadTest,
  studentTestPower,
} from '../../../src/results/stats/crossed.ts';
import { incompleteGamma, studentCdf } from '../../../src/results/stats/distributions.ts';
import { clusterMeanInterval } from '../../../src/results/stats/means.ts';
import { simulateCoverage } from './coverage.ts';

describe('the mean over seeds and users', () => {
  test('has the error of both, worked by hand', () => {
    // Mean squares: seeds 3 · (1.5² + 1.5²) = 13.5; users 2 · (1.5² + 0.5² + 2²) / 2 = 6.5; rest (4 · 0.5² + 2 · 1²) / 2 = 1.5.
    const { mean, spread } = crossedMean(
      [
        [1, 2, 3],
        [3, 4, 8],
      ],
      [1, 1, 1],
    );
    expect(mean).toBe(3.5);
    expect(spread?.error).toBeCloseTo(Math.sqrt((13.5 + 6.5 - 1.5) / 6), 12);
    expect(spread?.degrees).toBeCloseTo(18.5 ** 2 / (13.5 ** 2 / 1 + 6.5 ** 2 / 2 + 1.5 ** 2 / 2), 12);
    // SciPy: t.ppf(0.975, 1.6736) = 5.2159.
    const interval = spreadInterval(mean, spread!, 0.95);
    expect(interval.high - mean).toBeCloseTo(5.21589860104926 * Math.sqrt(18.5 / 6), 8);
    expect(interval.high - mean).toBeCloseTo(mean - interval.low, 12);
    expect(spreadTest(mean, spread!)).toBeCloseTo(
      2 * studentCdf(-3.5 / Math.sqrt(18.5 / 6), 18.5 ** 2 / 204.5),
      12,
    );
  });

  test.each([
    // Seeds 2 · (1 + 1) = 4, users and rest 0: the paired t test over seeds.
    [
      'users do not differ',
      [
        [0, 0],
        [2, 2],
      ],
      1,
      1,
    ],
    // Seeds and users 0, rest 4 · 1² = 4.
    [
      'neither differs more than the rest',
      [
        [1, -1],
        [-1, 1],
      ],
      1,
      1,
    ],
  ])('counts a component as 0 instead of below, if %s', (_, sums, error, degrees) => {
    expect(crossedMean(sums, [1, 1]).spread).toEqual({ error, degrees });
  });

  test('is the interval over users, if all seeds give the same', () => {
    const clusters = [
      { count: 10, sum: 9 },
      { count: 20, sum: 12 },
      { count: 5, sum: 5 },
    ];
    const row = clusters.map(({ sum }) => sum);
    const { mean, spread } = crossedMean([row, row], [10, 20, 5]);
    expect(mean).toBeCloseTo(26 / 35, 12);
    const [ours, expected] = [spreadInterval(mean, spread!, 0.95), clusterMeanInterval(clusters)!];
    expect(ours.low).toBeCloseTo(expected.low, 10);
    expect(ours.high).toBeCloseTo(expected.high, 10);
  });

  test.each([
    ['a single seed', [[1, 2]], [1, 1]],
    ['a single user', [[1], [2]], [1]],
    [
      'cells that are all equal',
      [
        [0.1, 0.1],
        [0.1, 0.1],
      ],
      [1, 1],
    ],
  ])('says nothing of other seeds and users after %s', (_, sums, counts) => {
    expect(crossedMean(sums, counts).spread).toBeNull();
  });

  test('covers the truth as often as it says, where an interval over seeds alone does not', () => {
    const scenario = { seeds: 5, users: 6, clips: 24, shift: -0.4, armUsers: 0.8, armSeeds: 0.05 };
    const { crossed, seedsOnly } = simulateCoverage(scenario, 400);
    // With 400 repetitions, 95 % would come out below 0.92 once in 200 trials.
    expect(crossed).toBeGreaterThan(0.92);
    expect(seedsOnly).toBeLessThan(0.6);
  });
});

describe('the power of a design', () => {
  test('to find a difference is 80 % at the smallest detectable one', () => {
    const found = smallestDetectable({ error: 0.01, degrees: 4.5 }, { alpha: 0.01 });
    expect(studentTestPower(found / 0.01, 4.5, 0.01)).toBeCloseTo(0.8, 12);
  });

  // SciPy, over the other variable: quad of chi.pdf(s·√ν, ν)·√ν · (2·norm.cdf(margin / error − t·s) − 1) from 0 to margin / (error·t).
  test.each([
    [0.01, 4, 0.02, 0.2057864683570942],
    [0.005, 4.5, 0.02, 0.9079138698256275],
    [0.01, 9, 0.02, 0.22566942639009105],
    [1, 1.6736, 3, 0.3891473743034527],
    [0.001, 3, 0.02, 1],
  ])(
    'to show equivalence, with an error of %d, %d degrees of freedom and a margin of %d',
    (error, degrees, margin, power) => {
      expect(equivalencePower({ error, degrees }, margin, 0.05)).toBeCloseTo(power, 6);
    },
  );
});

// SciPy: gammainc.
test.each([
  [0.5, 0.1, 0.34527915398142317],
  [2, 3, 0.8008517265285442],
  [2.25, 0.01, 1.231915217501113e-5],
  [10, 9, 0.4125917556680583],
  [50, 80, 0.9998692160234086],
  [2, 0, 0],
  [2, 1000, 1],
])('the incomplete gamma function P(%d, %d)', (a, x, expected) => {
  expect(Math.abs(incompleteGamma(a, x) - expected)).toBeLessThan(1e-12);
});

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
