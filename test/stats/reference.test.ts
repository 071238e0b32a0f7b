import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { clusterBootstrap } from '../../src/stats/cluster-bootstrap.ts';
import { holmAdjust } from '../../src/stats/holm.ts';
import { mcnemarTest } from '../../src/stats/mcnemar.ts';
import { meanInterval, pairedEquivalence, pairedTTest } from '../../src/stats/means.ts';
import { independentDifference, pairedDifference } from '../../src/stats/proportion-difference.ts';
import { incompleteBeta, logGamma } from '../../src/stats/special.ts';
import { studentCdf, studentQuantile } from '../../src/stats/student.ts';

/** Made by test/fixtures/stats/make_reference.py with SciPy and statsmodels. */
const reference = JSON.parse(
  readFileSync(path.join(import.meta.dirname, '../fixtures/stats/reference.json'), 'utf8'),
);

/** Equal up to a relative error of `relative`. */
function expectClose(actual: number | null, expected: number, relative = 1e-10): void {
  expect(actual).not.toBeNull();
  const error = Math.abs(actual! - expected);
  expect(error, `${actual} is not ${expected}`).toBeLessThanOrEqual(
    relative * Math.max(1e-3, Math.abs(expected)),
  );
}

describe('as SciPy and statsmodels', () => {
  test('ln Γ', () => {
    for (const [x, expected] of reference.logGamma) expectClose(logGamma(x), expected, 1e-12);
  });

  test('the incomplete beta function', () => {
    for (const [x, a, b, expected] of reference.incompleteBeta)
      expectClose(incompleteBeta(x, a, b), expected);
  });

  test("Student's distribution", () => {
    for (const [probability, degrees, t, cdf] of reference.student) {
      expectClose(studentQuantile(probability, degrees), t, 1e-9);
      expectClose(studentCdf(t + 0.3, degrees), cdf);
    }
  });

  test('intervals of means, paired t tests and equivalence', () => {
    expect(reference.means).toHaveLength(4);
    for (const { first, second, mean, interval, p, margin, equivalence } of reference.means) {
      const found = pairedTTest(first, second);
      expectClose(found.mean, mean, 1e-12);
      expectClose(found.low, interval[0], 1e-9);
      expectClose(found.high, interval[1], 1e-9);
      expectClose(found.p, p, 1e-9);
      expectClose(pairedEquivalence(first, second, margin).p, equivalence, 1e-9);
    }
  });

  test("McNemar's exact test", () => {
    for (const { onlyFirst, onlySecond, p } of reference.mcnemar) {
      const clips = { clips: 300, onlyFirst, onlySecond };
      expectClose(mcnemarTest(clips), p);
    }
  });

  test("Newcombe's interval of a difference of proportions", () => {
    for (const { first, second, interval } of reference.differences) {
      const [ours, theirs] = [first, second].map(([successes, trials]) => ({ successes, trials }));
      const found = independentDifference(ours!, theirs!);
      expectClose(found.low, interval[0], 1e-9);
      expectClose(found.high, interval[1], 1e-9);
    }
  });

  test("Holm's correction", () => {
    for (const [pValues, expected] of reference.holm) {
      for (const [i, p] of holmAdjust(pValues).entries()) expectClose(p, expected[i], 1e-12);
    }
  });

  test('the bootstrap over users, all samples of them counted', () => {
    for (const { clusters, level, interval } of reference.bootstrap) {
      const found = clusterBootstrap(
        clusters.map(([count, sum]: [number, number]) => ({ count, sum })),
        level,
      );
      expectClose(found.low, interval[0], 1e-12);
      expectClose(found.high, interval[1], 1e-12);
    }
  });
});

test('by hand: the interval of a difference on the same clips', () => {
  // b = 8, c = 1 of 100: (8 - 1) / 102 ± 1.96 · √(10 - 7² / 102) / 102.
  const { difference, low, high } = pairedDifference({ clips: 100, onlyFirst: 8, onlySecond: 1 });
  const reach = (1.959963984540054 * Math.sqrt(10 - 49 / 102)) / 102;
  expect(difference).toBe(0.07);
  expect(low).toBeCloseTo(7 / 102 - reach, 14);
  expect(high).toBeCloseTo(7 / 102 + reach, 14);
  expect(pairedDifference({ clips: 3, onlyFirst: 0, onlySecond: 0 })).toMatchObject({ difference: 0 });
  expect(() => pairedDifference({ clips: 3, onlyFirst: 2, onlySecond: 2 })).toThrow(RangeError);
});

test('a single seed gives a mean, and nothing about how sure it is', () => {
  expect(meanInterval([0.955])).toEqual({
    count: 1,
    mean: 0.955,
    standardDeviation: 0,
    low: null,
    high: null,
  });
  expect(pairedTTest([1], [2]).p).toBeNull();
  expect(pairedEquivalence([1], [2], 5).p).toBeNull();
});

test('equal pairs do not differ, and are equivalent', () => {
  expect(pairedTTest([1, 2], [1, 2]).p).toBe(1);
  expect(pairedTTest([2, 3], [1, 2]).p).toBe(0);
  expect(pairedEquivalence([1, 2], [1, 2], 0.1).p).toBe(0);
  expect(pairedEquivalence([2, 3], [1, 2], 0.5).p).toBe(1);
});

test.each([
  ['no values', () => meanInterval([])],
  ['no pairs', () => pairedTTest([1, 2], [1])],
  ['no margin', () => pairedEquivalence([1], [1], 0)],
  ['one user', () => clusterBootstrap([{ count: 3, sum: 1 }])],
  [
    'a user without clips',
    () =>
      clusterBootstrap([
        { count: 3, sum: 1 },
        { count: 0, sum: 0 },
      ]),
  ],
  ['too many users', () => clusterBootstrap(Array.from({ length: 11 }, () => ({ count: 1, sum: 1 })))],
  ['a p value above 1', () => holmAdjust([0.1, 1.2])],
  ['a probability of 1', () => studentQuantile(1, 3)],
  ['no degrees of freedom', () => studentCdf(1, 0)],
])('refuses %s', (_, call) => {
  expect(call).toThrow(RangeError);
});
