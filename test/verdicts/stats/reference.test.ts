import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { smallestDetectable, spreadInterval, studentTestPower } from '../../../src/verdicts/stats/crossed.ts';
import {
  incompleteBeta,
  logGamma,
  studentCdf,
  studentQuantile,
} from '../../../src/verdicts/stats/distributions.ts';
import { clusterMeanInterval, meanInterval, pairedTTest } from '../../../src/verdicts/stats/means.ts';
import { holmAdjust } from '../../../src/verdicts/stats/p-values.ts';
import { independentDifference } from '../../../src/verdicts/stats/proportions.ts';

/** Made by test/fixtures/stats/make_reference.py with SciPy and statsmodels. */
const reference = JSON.parse(
  readFileSync(path.join(import.meta.dirname, '../../fixtures/stats/reference.json'), 'utf8'),
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
      const differences = first.map((value: number, i: number) => value - second[i]);
      const found = pairedTTest(differences);
      expectClose(found.mean, mean, 1e-12);
      expectClose(found.low, interval[0], 1e-9);
      expectClose(found.high, interval[1], 1e-9);
      expectClose(found.p, p, 1e-9);
      // Two one-sided tests at a level: the interval that leaves as much on each side touches the margin.
      const spread = { error: found.standardDeviation / Math.sqrt(first.length), degrees: first.length - 1 };
      const { low, high } = spreadInterval(found.mean, spread, 1 - 2 * equivalence);
      expectClose(Math.max(high, -low), margin, 1e-9);
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

  test('the interval over users, whose clips are alike', () => {
    expect(reference.clusters).toHaveLength(6);
    for (const { clusters, level, interval } of reference.clusters) {
      const found = clusterMeanInterval(
        clusters.map(([count, sum]: [number, number]) => ({ count, sum })),
        level,
      );
      expectClose(found?.low ?? null, interval[0], 1e-9);
      expectClose(found?.high ?? null, interval[1], 1e-9);
    }
  });

  test('the power of a t test, by the noncentral distribution', () => {
    expect(reference.power).toHaveLength(6);
    for (const [shift, degrees, alpha, power] of reference.power)
      expectClose(studentTestPower(shift, degrees, alpha), power, 1e-9);
  });
});

test('a single seed gives a mean, and nothing about how sure it is', () => {
  expect(meanInterval([0.955])).toEqual({
    count: 1,
    mean: 0.955,
    standardDeviation: 0,
    low: null,
    high: null,
  });
  expect(pairedTTest([-1]).p).toBeNull();
});

test.each([
  ['not at all', [270, 275, 272], 0],
  // 271 / 288 − 270 / 288 and 276 / 288 − 275 / 288 are not the same double.
  ['by a clip', [271, 276, 273], 1 / 288],
])('pairs that all differ by the same, %s, allow no test and no interval', (_, right, mean) => {
  const differences = [270, 275, 272].map((count, i) => right[i]! / 288 - count / 288);
  const nothing = { mean: expect.closeTo(mean, 12), p: null, low: null, high: null };
  expect(pairedTTest(differences)).toEqual({ count: 3, standardDeviation: 0, ...nothing });
});

test('users of the same accuracy do not tell how far others may be', () => {
  expect(clusterMeanInterval([3, 6, 9].map((count) => ({ count, sum: count / 3 })))).toBeNull();
});

test('the detectable difference is the one that is found in four of five cases', () => {
  // SciPy's ncf gives three pairs a power of 0.8 at 3.26 standard deviations; the sum of two quantiles would give 3.10.
  expect(smallestDetectable({ error: 1 / Math.sqrt(3), degrees: 2 }, { alpha: 0.05 })).toBeCloseTo(3.26, 2);
  const found = smallestDetectable({ error: 1, degrees: 4 }, { alpha: 0.05 / 3 });
  expect(studentTestPower(found, 4, 0.05 / 3)).toBeCloseTo(0.8, 12);
  // Without any difference, what is found is the level.
  expect(studentTestPower(0, 5, 0.05)).toBeCloseTo(0.05, 12);
});
