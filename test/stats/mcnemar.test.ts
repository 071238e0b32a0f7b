import { expect, test } from 'vitest';
import { binomialUpperTail } from '../../src/stats/distributions.ts';
import { countDiscordant, mcnemarTest, smallestDetectableDifference } from '../../src/stats/mcnemar.ts';

test('counts the clips on which two models differ', () => {
  const first = [true, true, false, false, true];
  const second = [true, false, true, false, false];
  expect(countDiscordant(first, second)).toEqual({ clips: 5, onlyFirst: 2, onlySecond: 1 });
  expect(() => countDiscordant([true], [])).toThrow('1 and 0');
});

test('two models that differ on no clip are no evidence', () => {
  const none = { clips: 288, onlyFirst: 0, onlySecond: 0 };
  expect(mcnemarTest(none)).toBe(1);
});

test('by hand: three of three in favour are twice one eighth', () => {
  expect(mcnemarTest({ clips: 9, onlyFirst: 3, onlySecond: 0 })).toBeCloseTo(1 / 4, 15);
});

test('five differing clips can never be significant; six can, if all are in favour', () => {
  expect(smallestDetectableDifference(0, 288)).toBeNull();
  expect(smallestDetectableDifference(5, 288)).toBeNull();
  // All six in favour with probability 0.8: each with 0.8^(1/6).
  const expected = ((2 * 0.8 ** (1 / 6) - 1) * 6) / 288;
  expect(smallestDetectableDifference(6, 288)).toBeCloseTo(expected, 12);
});

test('what is detectable is detected as often as asked', () => {
  const differing = 30;
  const share = (smallestDetectableDifference(differing, 288)! * 288) / differing / 2 + 0.5;
  // Of 30 differing clips, 21 in favour are significant: 2 · P(X ≥ 21) = 0.043.
  expect(binomialUpperTail(21, differing, share)).toBeCloseTo(0.8, 10);
});

test('refuses more differing clips than there are', () => {
  expect(() => smallestDetectableDifference(9, 8)).toThrow(RangeError);
});
