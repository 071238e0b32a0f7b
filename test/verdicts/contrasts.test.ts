import { describe, expect, test } from 'vitest';
import { toCells } from '../../bench/intervals/simulate.ts';
import {
  type Contrast,
  compareWithMargin,
  decideEqual,
  decideMore,
  measureContrasts,
} from '../../src/verdicts/contrasts.ts';

/** A difference with an error of 1 and ten degrees of freedom, of which t is 1.8125 at 5 %, 2.2281 at 2.5 % and 2.7638 at 1 %. */
function contrast(difference: number, rare: number | null = null, isGrouped = true): Contrast {
  const [narrow, wide] = [1.8124611, 2.2281389];
  const certainty = {
    ...{ error: 1, degrees: 10, rare, isGrouped, p: 0, adjusted: 0, detectable: null, equivalenceChance: 0 },
    narrow: { low: difference - narrow, high: difference + narrow },
    interval: { low: difference - wide, high: difference + wide },
  };
  return { difference, seeds: [difference], certainty };
}

const UNKNOWN: Contrast = { difference: 0, seeds: [0], certainty: null };

describe('differences are at least a limit', () => {
  test.each([
    [1.82, 0, 'reproduced'],
    [1.81, 0, 'inconclusive'],
    [-1.81, 0, 'inconclusive'],
    [-1.82, 0, 'not-reproduced'],
    // The limit itself is what is tested, not 0.
    [4.82, 3, 'reproduced'],
    [4.8, 3, 'inconclusive'],
    [1.18, 3, 'not-reproduced'],
    [-1.18, -3, 'reproduced'],
    [-2.5, -3, 'inconclusive'],
    [-4.82, -3, 'not-reproduced'],
  ] as const)('%f from %f: %s, by one-sided tests at 5 %%', (difference, least, answer) => {
    expect(decideMore([contrast(difference)], least)).toBe(answer);
  });

  test('all of them without a correction, one of them not with 5 % divided by their number', () => {
    expect(decideMore([contrast(1.82), contrast(1.82)], 0)).toBe('reproduced');
    expect(decideMore([contrast(9), contrast(-2.22)], 0)).toBe('inconclusive');
    expect(decideMore([contrast(9), contrast(-2.23)], 0)).toBe('not-reproduced');
    expect(decideMore([UNKNOWN, contrast(-2.23)], 0)).toBe('not-reproduced');
    expect(decideMore([contrast(9), UNKNOWN], 0)).toBe('inconclusive');
  });
});

describe('differences are within a margin', () => {
  test.each([
    [0, 1.82, 'reproduced'],
    [0, 1.81, 'inconclusive'],
    [1.18, 3, 'reproduced'],
    // Significant, but not certainly larger than the margin.
    [2.5, 3, 'inconclusive'],
    [4.8, 3, 'inconclusive'],
    [4.82, 3, 'not-reproduced'],
    [-4.82, 3, 'not-reproduced'],
  ] as const)('%f within %f: %s', (difference, margin, answer) => {
    expect(decideEqual([contrast(difference)], margin)).toBe(answer);
  });

  test('all of them without a correction, one of them not with 5 % divided by their number', () => {
    expect(decideEqual([contrast(1.18), contrast(-1.18)], 3)).toBe('reproduced');
    expect(decideEqual([contrast(0), contrast(5.2)], 3)).toBe('inconclusive');
    expect(decideEqual([contrast(0), contrast(5.24)], 3)).toBe('not-reproduced');
  });
});

describe('where nearly all answers are right, more scatter at a limit counts', () => {
  // At ±10, 9 more are wrong beside 3 in both arms: four times the error, 7.25 instead of 1.81. Between items alone, twice.
  test('for no loss beyond it, by the wrong answers that it would take', () => {
    expect(decideMore([contrast(-1, 3)], -10)).toBe('reproduced');
    expect(decideMore([contrast(-1, 2)], -10)).toBe('inconclusive');
    expect(decideMore([contrast(-1, 2, false)], -10)).toBe('reproduced');
    expect(decideMore([contrast(-6.3, 3.7)], -10)).toBe('reproduced');
    expect(decideMore([contrast(-6.5, 3.7)], -10)).toBe('inconclusive');
    expect(decideMore([contrast(-6.5)], -10)).toBe('reproduced');
  });

  test('for equality, on both sides', () => {
    for (const sign of [1, -1]) {
      expect(decideEqual([contrast(sign, 3)], 10)).toBe('reproduced');
      expect(decideEqual([contrast(sign, 2)], 10)).toBe('inconclusive');
    }
  });

  test('and not beyond the limit, where fewer would be wrong', () => {
    expect(decideMore([contrast(1.82, 0.01)], 0)).toBe('reproduced');
    expect(decideEqual([contrast(4.82, 0.01)], 3)).toBe('not-reproduced');
  });
});

describe('a difference and its margin', () => {
  const verdict = (difference: number, adjusted: number, margin: number) => {
    const { certainty, ...one } = contrast(difference);
    return compareWithMargin({ ...one, certainty: { ...certainty!, adjusted } }, margin);
  };

  test('are told apart by both tests', () => {
    expect(verdict(4, 0.01, 3)).toBe('different');
    expect(verdict(1, 0.01, 3)).toBe('slight');
    expect(verdict(1, 0.06, 3)).toBe('equivalent');
    expect(verdict(2, 0.06, 3)).toBe('undecided');
    expect(compareWithMargin(UNKNOWN, 3)).toBe('undecided');
  });
});

describe('contrasts', () => {
  const cells = (...sums: number[][]) => ({
    ...toCells(
      sums,
      sums.map((row) => row.map(() => 1)),
    ),
    ...{ items: sums[0]!.length, scale: 1, rare: null },
  });

  test('share the level of their tests', () => {
    // Differences 1 and 3 of two items, t = 2, and again: p = 0.2952 each with one degree of freedom.
    const [first, second] = measureContrasts([cells([1, 3]), cells([1, 3])], { margin: 0, fixed: 'seeds' });
    expect(first!.certainty!.p).toBeCloseTo(0.295167, 6);
    expect(second!.certainty!.adjusted).toBeCloseTo(0.590334, 6);
  });

  test('with fixed seeds scatter over groups, with fixed groups over seeds', () => {
    const table = cells([1, 3], [1, 7]);
    const [overGroups] = measureContrasts([table], { margin: 0, fixed: 'seeds' });
    // Means 1 and 5 of the groups, 2 and 4 of the seeds.
    expect(overGroups!.certainty).toMatchObject({ error: 2, degrees: 1 });
    const [overSeeds] = measureContrasts([table], { margin: 0, fixed: 'groups' });
    expect(overSeeds).toMatchObject({ difference: 3, seeds: [2, 4], certainty: { error: 1, degrees: 1 } });
  });

  test('are off by at least an error that is known otherwise', () => {
    const [scattered] = measureContrasts([cells([1, 3])], { margin: 0, fixed: 'seeds', leastError: 0.5 });
    expect(scattered!.certainty!.error).toBe(1);
    const [equal] = measureContrasts([cells([2, 2])], { margin: 0, fixed: 'seeds', leastError: 0.5 });
    expect(equal!.certainty).toMatchObject({ error: 0.5, degrees: 1 });
    expect(measureContrasts([cells([2, 2])], { margin: 0, fixed: 'seeds' })[0]!.certainty).toBeNull();
  });
});
