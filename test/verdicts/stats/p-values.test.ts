import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { fewestLost, mcnemarOneSided, signFlipTest } from '../../../src/verdicts/stats/p-values.ts';

/** Made by test/fixtures/stats/make_check_reference.py with SciPy. */
const reference = JSON.parse(
  readFileSync(path.join(import.meta.dirname, '../../fixtures/stats/check-reference.json'), 'utf8'),
);

describe("McNemar's one-sided test", () => {
  test('is as in SciPy', () => {
    for (const [lost, gained, p] of reference.oneSided)
      expect(mcnemarOneSided(lost, gained)).toBeCloseTo(p, 12);
    expect(mcnemarOneSided(0, 0)).toBe(1);
  });

  test('needs the fewer lost clips the fewer are gained, and never more than there are', () => {
    // 2^-6 is above 1 %, 2^-7 below; 10 of 11: 12 / 2048.
    expect(fewestLost(0, 0.01, 6)).toBeNull();
    expect(fewestLost(0, 0.01, 7)).toBe(7);
    expect(fewestLost(1, 0.01, 100)).toBe(10);
    expect(fewestLost(1, 0.01, 9)).toBeNull();
  });
});

describe('the sign-flip test', () => {
  test('is as in SciPy, which counts all sign flips', () => {
    for (const [sums, p] of reference.signFlip) expect(signFlipTest(sums)).toBeCloseTo(p, 12);
  });

  test('by hand: of 2, 1 and −1, the sums 4, 2, 2, 0, 0, −2, −2, −4 are equally likely', () => {
    expect(signFlipTest([2, 1, -1])).toBe(3 / 8);
    expect(signFlipTest([-2, -1, 1])).toBe(7 / 8);
    expect(signFlipTest([])).toBe(1);
    expect(signFlipTest([0, 0])).toBe(1);
  });

  test("of single clips is McNemar's test", () => {
    const sums = [...Array(18).fill(1), ...Array(4).fill(-1)];
    expect(signFlipTest(sums)).toBeCloseTo(mcnemarOneSided(18, 4), 14);
  });
});
