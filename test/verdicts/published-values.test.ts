import { describe, expect, test } from 'vitest';
import { compareValues, errorOfSpread, estimateShare } from '../../src/verdicts/published-values.ts';

const value = (value: number, error: number) => ({ value, errors: [errorOfSpread({ error, degrees: 10 })] });

describe('a value beside a published one', () => {
  test('of two shares has Newcombe’s interval', () => {
    // 56 of 70 and 48 of 80: +20 points, 5.2 to 33.4 (Newcombe 1998, table II, method 10).
    const { difference, low, high } = compareValues(
      estimateShare({ correct: 56, clips: 70 }),
      estimateShare({ correct: 48, clips: 80 }),
      0.1,
    );
    expect([difference, low, high]).toEqual([0.2, 0.0524, 0.3339].map((one) => expect.closeTo(one, 4)));
  });

  test('adds the errors of both as squares', () => {
    const { low, high } = compareValues(value(1, 3), value(0, 4), 1);
    expect([low, high]).toEqual([1 - 5 * 2.2281389, 1 + 5 * 2.2281389].map((one) => expect.closeTo(one, 6)));
  });

  // Errors of 1 in all: t is 1.8125 for 90 % and 2.2281 for 95 %.
  test.each([
    [0, 1.82, 'reproduced'],
    [0, 1.81, 'inconclusive'],
    [2.22, 1, 'inconclusive'],
    [2.23, 1, 'not-reproduced'],
    [-2.23, 1, 'not-reproduced'],
    // Significant, and certainly smaller than the margin.
    [2.23, 4.1, 'reproduced'],
  ] as const)('%f with a margin of %f is %s', (difference, margin, verdict) => {
    expect(compareValues(value(difference, 0.6), value(0, 0.8), margin).verdict).toBe(verdict);
  });
});
