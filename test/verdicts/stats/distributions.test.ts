import { describe, expect, it } from 'vitest';
import { binomialUpperTail } from '../../../src/verdicts/stats/distributions.ts';

describe('the upper tail of a binomial distribution', () => {
  it('matches counting coin tosses', () => {
    // Of 16 sequences of four throws, 5 have three or four heads.
    expect(binomialUpperTail(3, 4, 0.5)).toBeCloseTo(5 / 16, 12);
    expect(binomialUpperTail(4, 4, 0.5)).toBeCloseTo(1 / 16, 12);
    expect(binomialUpperTail(1, 2, 1 / 11)).toBeCloseTo(1 - (10 / 11) ** 2, 12);
  });

  it('is above 2.5 % for 5 in 22 at one in eleven and below it for 6, by exact fractions', () => {
    /** Exact in integers: Σ C(22, i) · 10^(22 − i) over 11^22. */
    const exact = (least: number): number => {
      let choose = 1n;
      let sum = 0n;
      for (let i = 0n; i <= 22n; i++) {
        if (i > 0n) choose = (choose * (22n - i + 1n)) / i;
        if (i >= BigInt(least)) sum += choose * 10n ** (22n - i);
      }
      return Number((sum * 10n ** 15n) / 11n ** 22n) / 1e15;
    };
    expect(binomialUpperTail(5, 22, 1 / 11)).toBeCloseTo(exact(5), 12);
    expect(binomialUpperTail(6, 22, 1 / 11)).toBeCloseTo(exact(6), 12);
    expect(exact(5)).toBeGreaterThan(0.025);
    expect(exact(6)).toBeLessThan(0.025);
  });

  it('handles all or nothing, rounds fractions down, and handles thousands of trials', () => {
    expect([binomialUpperTail(0, 9, 0.3), binomialUpperTail(9, 9, 1), binomialUpperTail(1, 9, 0)]).toEqual([
      1, 1, 0,
    ]);
    expect(binomialUpperTail(5.9, 22, 0.1)).toBe(binomialUpperTail(5, 22, 0.1));
    expect(binomialUpperTail((0.1 + 0.2) * 10, 22, 0.1)).toBe(binomialUpperTail(3, 22, 0.1));
    expect(binomialUpperTail(5000, 10_000, 0.5)).toBeCloseTo(0.504, 3);
    expect(binomialUpperTail(9000, 10_000, 0.1)).toBe(0);
  });
});
