import { describe, expect, test } from 'vitest';
import { compareAccuracy } from '../../src/report/claims/judgement.ts';
import { wilsonInterval } from '../../src/verdicts/stats/proportions.ts';
import { ACCURACY, judgeOne, right, type Values } from './studies.ts';

describe('a published accuracy', () => {
  test('is judged as the thesis’ are, if it is about these very trainings', () => {
    for (const correct of [283, 278, 275, 266, 263, 140]) {
      const { verdict, low, high } = compareAccuracy(
        { correct, clips: 288 },
        { correct: 0.955 * 288, clips: 288 },
      );
      const judged = judgeOne(ACCURACY, { a: [right(correct, 288)] }, { trainings: 'fixed' });
      expect(judged, `${correct}`).toMatchObject({
        verdict,
        comparison: { low: expect.closeTo(low, 12), high: expect.closeTo(high, 12) },
      });
    }
  });

  test('says nothing after one training, if nobody says how far others may be', () => {
    const judged = judgeOne(ACCURACY, { a: [right(275, 288)] });
    expect(judged).toMatchObject({
      verdict: 'inconclusive',
      measured: '95.5\u00a0%, one seed',
      comparison: null,
    });
    expect(judged.reason).toMatch(/^There is one training, .* more seeds are needed\./);
  });

  test('with its deviation counts another training with Student’s quantile', () => {
    // One training more than the five: 0.01 · √(1 + 1 / 5), four degrees of freedom, beside two Wilson intervals of 9,500 in 10,000.
    const { comparison, verdict } = judgeOne(
      { ...ACCURACY, published: 0.95, n: 10_000, seeds: 5, sd: 0.01, margin: 0.04 },
      { a: [right(9500, 10_000)] },
    );
    const wilson = [wilsonInterval(9500, 10_000).high - 0.95, 0.95 - wilsonInterval(9500, 10_000).low];
    const seeds = 2.7764451 * 0.01 * Math.sqrt(1.2);
    expect(comparison!.high).toBeCloseTo(Math.hypot(...wilson, seeds), 6);
    expect(verdict).toBe('reproduced');
  });

  test('counts the trainings behind it as scattered as ours, if it has no deviation', () => {
    const values: Values = { a: [right(80, 100), right(84, 100), right(88, 100)] };
    const published = { ...ACCURACY, published: 0.84, n: 100 };
    const [one, many] = [published, { ...published, seeds: 1000 }].map(
      (measure) => judgeOne(measure, values).comparison!,
    );
    expect(one!.high).toBeGreaterThan(many!.high * 1.2);
  });

  test('says what could have been found, if it says nothing else', () => {
    const { comparison, reason, verdict } = judgeOne(
      ACCURACY,
      { a: [right(266, 288)] },
      { trainings: 'fixed' },
    );
    expect(verdict).toBe('inconclusive');
    // Half of the interval, by (1.960 + 0.842) / 1.960.
    const { low, high } = comparison!;
    const points = (50 * (high - low) * (1.959964 + 0.841621)) / 1.959964;
    expect(reason).toContain(`A true difference of about ${points.toFixed(1)}\u00a0points would be found`);
  });

  test('is at reduced scale on fewer items, or with fewer seeds than required', () => {
    expect(judgeOne(ACCURACY, { a: [right(90, 100)] }, { trainings: 'fixed' })).toMatchObject({
      verdict: 'reduced-scale',
      reason: 'Smaller than the claim requires: 100 items instead of 288. Published: 95.5\u00a0%.',
    });
    expect(judgeOne(ACCURACY, { a: [right(275, 288)] }, { requires: { seeds: 3 } })).toMatchObject({
      verdict: 'reduced-scale',
      reason: expect.stringContaining('one seed instead of 3'),
    });
  });
});

describe('a published score', () => {
  // Means 1, 2 and 3: 2 ± t₂ · √(1 / 3), the published one ± t₃ · 1 / 2.
  const values: Values = { a: [[1], [2], [3]] };
  const measure = { kind: 'score', arm: 'a', published: 2.5, seeds: 4, sd: 1, margin: 4 } as const;

  test('that has one value for each seed is compared over seeds alone', () => {
    const { comparison, verdict, reason } = judgeOne(measure, values);
    const reach = Math.hypot(4.3026527 * Math.sqrt(1 / 3), 3.1824463 / 2);
    expect(comparison).toMatchObject({
      value: 2,
      difference: -0.5,
      low: expect.closeTo(-0.5 - reach, 6),
      high: expect.closeTo(-0.5 + reach, 6),
    });
    expect(verdict).toBe('reproduced');
    expect(reason).toMatch(
      /^Over three seeds, not for other items, the difference from 2\.5 is −0\.5, 95 % interval −3\.45 to \+2\.45; it is certainly smaller than the margin, 4 /,
    );
  });

  test('of one training needs a published deviation, and then counts as one more training', () => {
    const { reason } = judgeOne({ kind: 'score', arm: 'a', published: 2.5, margin: 4 }, { a: [[2]] });
    expect(reason).toMatch(/^There is one training/);
    // 1 · √(1 / 4 + 1), three degrees of freedom.
    const { comparison } = judgeOne(measure, { a: [[2]] });
    expect(comparison!.high).toBeCloseTo(-0.5 + 3.1824463 * Math.sqrt(1.25), 6);
  });

  test('without a deviation counts its trainings as scattered as ours, and adds the error of its items', () => {
    // Ours deviate by 1: the mean of three by √(1 / 3), that of two by √(1 / 2), both with t₂. Items: 0.3 · 1.96.
    const one = { kind: 'score', arm: 'a', published: 2.5, margin: 4, seeds: 2, error: 0.3 } as const;
    const reach = Math.hypot(4.3026527 * Math.sqrt(1 / 3), 4.3026527 * Math.sqrt(1 / 2), 0.3 * 1.959964);
    expect(judgeOne(one, values).comparison!.high).toBeCloseTo(-0.5 + reach, 4);
  });

  test('that is one value of these very trainings cannot be judged, whatever was published of others', () => {
    expect(judgeOne(measure, { a: [[2]] }, { trainings: 'fixed' })).toMatchObject({
      verdict: 'inconclusive',
      comparison: null,
    });
  });

  test('that is the same with every seed does not say how far others may be', () => {
    const same = { kind: 'score', arm: 'a', published: 2.5, margin: 4 } as const;
    expect(judgeOne(same, { a: [[2], [2], [2]] })).toMatchObject({
      verdict: 'inconclusive',
      comparison: null,
    });
  });

  test('that is an accuracy has the error of its items, also for these very trainings', () => {
    const { comparison, verdict, reason } = judgeOne(ACCURACY, { a: [[0.955]] }, { trainings: 'fixed' });
    expect(verdict).toBe('reproduced');
    expect(reason).toMatch(/^Over one seed and the 288 items of the claim, the difference/);
    expect(comparison!.high).toBeCloseTo(
      judgeOne(ACCURACY, { a: [right(275, 288)] }, { trainings: 'fixed' }).comparison!.high,
      3,
    );
    expect(judgeOne(ACCURACY, { a: [[95.5]] }, { requires: { seeds: 2 } })).toMatchObject({
      verdict: 'not-applicable',
      reason:
        'An accuracy is a share from 0 to 1, and the mean of the values is 95.5. Divide percentages by 100.',
    });
  });

  test('is not for answers that are right or wrong', () => {
    expect(judgeOne(measure, { a: [right(1, 2)] }).verdict).toBe('not-applicable');
  });
});
