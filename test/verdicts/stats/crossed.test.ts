import { describe, expect, test } from 'vitest';
import { simulateCoverage, toCells } from '../../../bench/intervals/simulate.ts';
import {
  crossedMean,
  equivalencePower,
  middleInterval,
  randomStream,
  resampleCrossed,
  sizeReaching,
  smallestDetectable,
  spreadInterval,
  spreadTest,
  studentTestPower,
} from '../../../src/verdicts/stats/crossed.ts';
import { incompleteGamma, studentCdf, studentQuantile } from '../../../src/verdicts/stats/distributions.ts';
import { clusterMeanInterval } from '../../../src/verdicts/stats/means.ts';

/** Of tables in which each seed meets each user. */
const complete = (sums: readonly number[][], clips: readonly number[]) =>
  crossedMean(
    toCells(
      sums,
      sums.map(() => clips),
    ),
  );

describe('the mean over seeds and users', () => {
  test('has the error of both, worked by hand', () => {
    // Mean squares: seeds 3 · (1.5² + 1.5²) = 13.5; users 2 · (1.5² + 0.5² + 2²) / 2 = 6.5; rest (4 · 0.5² + 2 · 1²) / 2 = 1.5.
    const { mean, spread } = complete(
      [
        [1, 2, 3],
        [3, 4, 8],
      ],
      [1, 1, 1],
    );
    expect(mean).toBe(3.5);
    expect(spread?.error).toBeCloseTo(Math.sqrt((13.5 + 6.5 - 1.5) / 6), 12);
    // SciPy: t.ppf(0.975, 1) = 12.7062, t.ppf(0.975, 2) = 4.3027. Seeds are fewer: 13.5 of 18.5.
    const t = Math.sqrt((13.5 * 12.706204736174694 ** 2 + 5 * 4.302652729749462 ** 2) / 18.5);
    const interval = spreadInterval(mean, spread!, 0.95);
    expect(interval.high - mean).toBeCloseTo(t * Math.sqrt(18.5 / 6), 8);
    expect(interval.high - mean).toBeCloseTo(mean - interval.low, 12);
    expect(spreadTest(mean, spread!)).toBeCloseTo(
      2 * studentCdf(-3.5 / Math.sqrt(18.5 / 6), spread!.degrees),
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
    // Seeds 0, users 2 · (1 + 1 + 0) / 2 = 2, rest 2 · (1 + 1 + 4) / 2 = 6: the seeds count with 6 of 6, so with their single degree.
    [
      'seeds do not differ',
      [
        [2, 0, -2],
        [0, -2, 2],
      ],
      1,
      1,
    ],
    // Users 0, seeds 2 · (1 + 1 + 0) / 2 = 2: the single degree is that of the users.
    [
      'three seeds meet two users that do not differ',
      [
        [2, 0],
        [0, -2],
        [-2, 2],
      ],
      1,
      1,
    ],
  ])('counts neither seeds nor users as less than the rest, if %s', (_, sums, error, degrees) => {
    const { spread } = complete(
      sums,
      sums[0]!.map(() => 1),
    );
    expect(spread?.error).toBeCloseTo(error, 12);
    expect(spread?.degrees).toBeCloseTo(degrees, 8);
  });

  test('is the interval over users, if all seeds give the same', () => {
    const clusters = [
      { count: 10, sum: 9 },
      { count: 20, sum: 12 },
      { count: 5, sum: 5 },
    ];
    const row = clusters.map(({ sum }) => sum);
    const { mean, spread } = complete([row, row], [10, 20, 5]);
    expect(mean).toBeCloseTo(26 / 35, 12);
    const [ours, expected] = [spreadInterval(mean, spread!, 0.95), clusterMeanInterval(clusters)!];
    expect(ours.low).toBeCloseTo(expected.low, 8);
    expect(ours.high).toBeCloseTo(expected.high, 8);
  });

  test('is that of the t test over seeds, if each tests its own users', () => {
    // Seeds' means 2 and 6. Users deviate by 3, 1, 1 and 3: 4 / 3 · 20, less than 2 · (4² + 4²) of the seeds.
    const sums = [
      [1, 3, 0, 0],
      [0, 0, 5, 7],
    ];
    const counts = [
      [1, 1, 0, 0],
      [0, 0, 1, 1],
    ];
    const { mean, spread } = crossedMean(toCells(sums, counts));
    expect(mean).toBe(4);
    expect(spread?.error).toBeCloseTo(Math.sqrt(8 / 2), 12);
    expect(spread?.degrees).toBeCloseTo(1, 8);
  });

  test('is that of errors clustered both ways and least squares, if users meet the seeds of their fold only', () => {
    const uniform = randomStream(3);
    // Folds of seeds 0, 3 and 6; 1 and 4; 2 and 5, with two or three users and unequal numbers of clips.
    const counts = Array.from({ length: 7 }, (_, seed) =>
      Array.from({ length: 8 }, (_, user) => (user % 3 === seed % 3 ? 10 + user : 0)),
    );
    for (const scale of [0, 3]) {
      const bySeed = counts.map(() => scale * uniform());
      const sums = counts.map((row, seed) =>
        row.map((count) => (count === 0 ? 0 : Math.round(4 * uniform() + bySeed[seed]!))),
      );
      const { error, degrees } = clusterByForce(sums, counts);
      const { spread } = crossedMean(toCells(sums, counts));
      expect(spread?.error).toBeCloseTo(error, 12);
      expect(Math.abs(spread!.degrees - degrees)).toBeLessThan(2e-3);
    }
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
  ])('says nothing of other seeds and users after %s', (_, sums, clips) => {
    expect(complete(sums, clips).spread).toBeNull();
  });

  test.each([
    ['two seeds', { seeds: 2, users: 6, clips: 24, folds: 1 }],
    ['many seeds', { seeds: 20, users: 12, clips: 24, folds: 1 }],
    ['a seed for each fold', { seeds: 5, users: 29, clips: 12, folds: 5 }],
    ['folds with one seed and with two', { seeds: 8, users: 29, clips: 12, folds: 5 }],
    ['folds with two seeds', { seeds: 10, users: 29, clips: 12, folds: 5 }],
  ])('covers the truth at least as often as it says: %s', (_, design) => {
    const effects = { accuracy: 0.86, loss: 0, seeds: 0.04, users: 0.023 };
    const found = simulateCoverage(design, effects, { repetitions: 400, margin: 0.05 });
    // With 400 repetitions, 95 % would come out below 0.92, and 90 % below 0.86, once in 200 trials.
    expect(found.wide).toBeGreaterThan(0.92);
    expect(found.narrow).toBeGreaterThan(0.86);
  });
});

test('the interval is not too sure where neither seeds nor users seem to differ, though both do', () => {
  const uniform = randomStream(5);
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  const [seeds, users] = [10, 6];
  const [covered, tSmall] = [[] as boolean[], studentQuantile(0.975, (seeds - 1) * (users - 1))];
  let coveredByRest = 0;
  for (let i = 0; i < 20_000; i++) {
    const byUser = Array.from({ length: users }, () => 0.25 * normal());
    const sums = Array.from({ length: seeds }, () => {
      const ofSeed = 0.3 * normal();
      return byUser.map((ofUser) => ofSeed + ofUser + normal());
    });
    const { a, b, rest, mean } = meanSquares(sums);
    if (a > rest || b > rest) continue;
    const { low, high } = spreadInterval(
      mean,
      complete(
        sums,
        byUser.map(() => 1),
      ).spread!,
      0.95,
    );
    covered.push(low <= 0 && high >= 0);
    coveredByRest += Number(Math.abs(mean) <= tSmall * Math.sqrt(rest / (seeds * users)));
  }
  expect(covered.length).toBeGreaterThan(500);
  expect(covered.filter(Boolean).length / covered.length).toBeGreaterThan(0.9);
  // With the rest alone, as if seeds and users were certain not to differ.
  expect(coveredByRest / covered.length).toBeLessThan(0.86);
});

function meanSquares(sums: readonly number[][]) {
  const [seeds, users] = [sums.length, sums[0]!.length];
  const add = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
  const mean = add(sums.map(add)) / (seeds * users);
  const bySeed = sums.map((row) => add(row) / users - mean);
  const byUser = sums[0]!.map((_, user) => add(sums.map((row) => row[user]!)) / seeds - mean);
  const left = sums.flatMap((row, s) => row.map((cell, u) => (cell - mean - bySeed[s]! - byUser[u]!) ** 2));
  return {
    mean,
    a: (users * add(bySeed.map((x) => x ** 2))) / (seeds - 1),
    b: (seeds * add(byUser.map((x) => x ** 2))) / (users - 1),
    rest: add(left) / ((seeds - 1) * (users - 1)),
  };
}

/** The same from the definitions: pairs of cells that share a seed or a user, and what is left after least squares with a term for each of both. */
function clusterByForce(sums: readonly number[][], counts: readonly number[][]) {
  const cells = sums.flatMap((row, seed) =>
    row.flatMap((sum, user) =>
      counts[seed]![user] ? [{ sum, count: counts[seed]![user]!, seed, user }] : [],
    ),
  );
  const clips = cells.reduce((total, { count }) => total + count, 0);
  const mean = cells.reduce((total, { sum }) => total + sum, 0) / clips;
  const off = cells.map(({ sum, count }) => sum - mean * count);
  const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
  const cluster = (of: 'seed' | 'user') => {
    const members = [...new Set(cells.map((one) => one[of]))].map((name) => {
      const own = cells.map((one) => Number(one[of] === name));
      const counts = cells.map(({ count }) => count);
      return { off: dot(off, own), weight: dot(counts, own) / clips };
    });
    // Of deviations from a weighted mean, of clusters whose own means have the variance 1: (I − 1w')(I − 1w')'.
    const variance = (at: number) =>
      members.reduce((sum, { weight }, i) => sum + (Number(i === at) - weight) ** 2, 0);
    const squares = members.reduce((sum, one, i) => sum + one.off ** 2 / variance(i), 0);
    return { squares, degrees: 1 / members.reduce((sum, { weight }) => sum + weight ** 2, 0) - 1 };
  };
  // Gram-Schmidt.
  const basis: number[][] = [];
  const project = (vector: readonly number[]) =>
    basis.reduce((rest, base) => rest.map((x, i) => x - dot(rest, base) * base[i]!), [...vector]);
  for (const of of ['seed', 'user'] as const)
    for (let group = 0; group < 8; group++) {
      const rest = project(cells.map((cell) => Number(cell[of] === group)));
      const length = Math.sqrt(dot(rest, rest));
      if (length > 1e-9) basis.push(rest.map((x) => x / length));
    }
  const left = project(off);
  const rest = (cells.length * dot(left, left)) / (cells.length - basis.length);
  const [seeds, users] = [cluster('seed'), cluster('user')];
  const parts = [seeds, users].map((one) => ({ ...one, squares: Math.max(one.squares, rest) }));
  const total = parts[0]!.squares + parts[1]!.squares - rest;
  const [fewer, more] = parts.sort((one, other) => one.degrees - other.degrees);
  const t2 = (degrees: number) => studentQuantile(0.975, degrees) ** 2;
  const share = fewer!.squares / total;
  const t = Math.sqrt(share * t2(fewer!.degrees) + (1 - share) * t2(more!.degrees));
  let { degrees } = fewer!;
  while (studentQuantile(0.975, degrees) > t) degrees += 1e-3;
  return { error: Math.sqrt(total) / clips, degrees };
}

describe('the power of a design', () => {
  test('to find a difference is 80 % at the smallest detectable one', () => {
    const found = smallestDetectable({ error: 0.01, degrees: 4.5 }, { alpha: 0.01 });
    expect(studentTestPower(found / 0.01, 4.5, 0.01)).toBeCloseTo(0.8, 12);
  });

  test.each([0, -1, Number.NaN])('is not asked for with %d degrees of freedom', (degrees) => {
    for (const measure of [
      () => smallestDetectable({ error: 0.01, degrees }, { alpha: 0.01 }),
      () => equivalencePower({ error: 0.01, degrees }, 0.02, 0.05),
      () => spreadInterval(0, { error: 0.01, degrees }, 0.95),
    ])
      expect(measure).toThrow(RangeError);
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
    const means = resampleCrossed([toCells([[1, 0]], [[1, 3]])], 4000, ([mean]) => mean!);
    expect(new Set(means)).toEqual(new Set([1, 0.25, 0]));
    // Six standard deviations of a share of one half are 0.047.
    expect(Math.abs(means.filter((mean) => mean === 0.25).length / 4000 - 0.5)).toBeLessThan(0.047);
    const bySeed = resampleCrossed([toCells([[0], [1]], [[1], [1]])], 4000, ([mean]) => mean!);
    expect(Math.abs(bySeed.filter((mean) => mean === 0.5).length / 4000 - 0.5)).toBeLessThan(0.047);
  });

  test('draws the same seeds and users for all tables', () => {
    const table = [
      [1, 2],
      [3, 5],
    ];
    const twice = table.map((row) => row.map((sum) => 2 * sum));
    const five = table.map((row) => row.map(() => 5));
    const ratios = resampleCrossed(
      [toCells(table, five), toCells(twice, five)],
      50,
      ([one, two]) => two! / one!,
    );
    for (const ratio of ratios) expect(ratio).toBeCloseTo(2, 12);
  });
});

test('the middle 95 % leaves out a fortieth at each end, infinite values first', () => {
  const values = Array.from({ length: 1000 }, (_, i) => 1000 - i);
  expect(middleInterval(values)).toEqual({ low: 26, high: 975 });
  const open = [...values.slice(0, 970), ...new Array<number>(30).fill(Number.NEGATIVE_INFINITY)];
  expect(middleInterval(open)).toEqual({ low: Number.NEGATIVE_INFINITY, high: 975 });
});
