import { describe, expect, test } from 'vitest';
import { compareAccuracy } from '../../../src/report/claims/judgement.ts';
import { wilsonInterval } from '../../../src/results/stats/proportions.ts';
import { judgeOne, right, type Values } from './studies.ts';

const OURS = { kind: 'accuracy', arm: 'a', published: 0.955, n: 288 } as const;

describe('a published accuracy', () => {
  test('is judged as the thesis’ are, if it is about these very trainings', () => {
    for (const correct of [283, 278, 275, 266, 263, 140]) {
      const { verdict, low, high } = compareAccuracy(
        { correct, clips: 288 },
        { correct: 0.955 * 288, clips: 288 },
      );
      const judged = judgeOne(OURS, { a: [right(correct, 288)] }, { trainings: 'fixed' });
      expect(judged, `${correct}`).toMatchObject({
        verdict,
        comparison: { low: expect.closeTo(low, 12), high: expect.closeTo(high, 12) },
      });
    }
  });

  test('says nothing after one training, if nobody says how far others may be', () => {
    const judged = judgeOne(OURS, { a: [right(275, 288)] });
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
      { ...OURS, published: 0.95, n: 10_000, seeds: 5, sd: 0.01, margin: 0.04 },
      { a: [right(9500, 10_000)] },
    );
    const wilson = [wilsonInterval(9500, 10_000).high - 0.95, 0.95 - wilsonInterval(9500, 10_000).low];
    const seeds = 2.7764451 * 0.01 * Math.sqrt(1.2);
    expect(comparison!.high).toBeCloseTo(Math.hypot(...wilson, seeds), 6);
    expect(verdict).toBe('reproduced');
  });

  test('counts the trainings behind it as scattered as ours, if it has no deviation', () => {
    const values: Values = { a: [right(80, 100), right(84, 100), right(88, 100)] };
    const published = { ...OURS, published: 0.84, n: 100 };
    const [one, many] = [published, { ...published, seeds: 1000 }].map(
      (measure) => judgeOne(measure, values).comparison!,
    );
    expect(one!.high).toBeGreaterThan(many!.high * 1.2);
  });

  test('says what could have been found, if it says nothing else', () => {
    const { comparison, reason, verdict } = judgeOne(OURS, { a: [right(266, 288)] }, { trainings: 'fixed' });
    expect(verdict).toBe('inconclusive');
    // Half of the interval, by (1.960 + 0.842) / 1.960.
    const { low, high } = comparison!;
    const points = (50 * (high - low) * (1.959964 + 0.841621)) / 1.959964;
    expect(reason).toContain(`A true difference of about ${points.toFixed(1)}\u00a0points would be found`);
  });

  test('is at reduced scale on fewer items, or with fewer seeds than required', () => {
    expect(judgeOne(OURS, { a: [right(90, 100)] }, { trainings: 'fixed' })).toMatchObject({
      verdict: 'reduced-scale',
      reason: 'Smaller than the claim requires: 100 items instead of 288. Published: 95.5\u00a0%.',
    });
    expect(judgeOne(OURS, { a: [right(275, 288)] }, { requires: { seeds: 3 } })).toMatchObject({
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
    const { comparison, verdict, reason } = judgeOne(OURS, { a: [[0.955]] }, { trainings: 'fixed' });
    expect(verdict).toBe('reproduced');
    expect(reason).toMatch(/^Over one seed and the 288 items of the claim, the difference/);
    expect(comparison!.high).toBeCloseTo(
      judgeOne(OURS, { a: [right(275, 288)] }, { trainings: 'fixed' }).comparison!.high,
      3,
    );
    expect(judgeOne(OURS, { a: [[95.5]] }, { requires: { seeds: 2 } })).toMatchObject({
      verdict: 'not-applicable',
      reason:
        'An accuracy is a share from 0 to 1, and the mean of the values is 95.5. Divide percentages by 100.',
    });
  });

  test('is not for answers that are right or wrong', () => {
    expect(judgeOne(measure, { a: [right(1, 2)] }).verdict).toBe('not-applicable');
  });
});

/** Scores of three seeds on four items, 0 in arm `b`. */
const SCORES: Values = {
  a: [
    [1, 2, 3, 4],
    [2, 3, 3, 5],
    [1, 3, 4, 5],
  ],
  b: [
    [0, 0, 0, 0],
    [0, 0, 0, 0],
    [0, 0, 0, 0],
  ],
};

describe('arms', () => {
  test('are compared over seeds and items', () => {
    const { contrasts, verdict, measured } = judgeOne({ kind: 'difference', arm: 'a', than: 'b' }, SCORES);
    // Mean squares: 0.75 of seeds, 5.7778 of items, 0.1944 of the rest: √((0.75 + 5.7778 − 0.1944) / 12).
    expect(contrasts[0]!.contrast).toMatchObject({
      difference: 3,
      certainty: { error: expect.closeTo(0.726483, 6) },
    });
    expect(verdict).toBe('reproduced');
    expect(measured).toMatch(/^a − b \+3 \(95 % interval \+0\.5\d+ to \+5\.4\d+, p = 0\.0\d\d\)$/);
  });

  test('of which nothing but one value for each seed is known are compared over seeds', () => {
    const { contrasts, reason } = judgeOne(
      { kind: 'difference', arm: 'a', than: 'b' },
      { a: [[1], [2], [3]], b: [[0], [0], [0]] },
    );
    expect(contrasts[0]!.contrast.certainty).toMatchObject({
      error: expect.closeTo(Math.sqrt(1 / 3), 12),
      degrees: 2,
    });
    expect(reason).toMatch(/^Over three seeds, not for other items, the difference is/);
  });

  test('of one training each say nothing of other trainings, and something of these', () => {
    const values: Values = { a: [[1, 2, 3, 4]], b: [[0, 0, 0, 0]] };
    expect(judgeOne({ kind: 'difference', arm: 'a', than: 'b' }, values).verdict).toBe('inconclusive');
    const fixed = judgeOne({ kind: 'difference', arm: 'a', than: 'b' }, values, { trainings: 'fixed' });
    // 2.5 ± 3.182 · 1.291 / 2.
    expect(fixed.contrasts[0]!.contrast.certainty!.interval.low).toBeCloseTo(2.5 - 3.1824463 * 0.6454972, 6);
    expect(fixed).toMatchObject({
      verdict: 'reproduced',
      reason: expect.stringMatching(/^Over 4 items, for these trainings/),
    });
  });

  test('that differ on few items, all in one direction, are not certainly alike', () => {
    // 2 of 100: the scatter alone gives 1.4 points; at a margin of 4, it is at least √(0.04 · 0.96 / 100).
    const values = { a: [right(52, 100)], b: [right(50, 100)] };
    const { contrasts } = judgeOne({ kind: 'equivalence', arm: 'a', than: 'b', margin: 0.04 }, values, {
      trainings: 'fixed',
    });
    expect(contrasts[0]!.contrast.certainty!.error).toBeCloseTo(Math.sqrt(0.04 * 0.96) / 10, 12);
  });

  test('that differ on few items have that error with people, too', () => {
    const values = { a: [right(52, 100)], b: [right(50, 100)] };
    const { contrasts } = judgeOne({ kind: 'equivalence', arm: 'a', than: 'b', margin: 0.04 }, values, {
      trainings: 'fixed',
      groupOf: (item) => `p${item % 10}`,
    });
    expect(contrasts[0]!.contrast.certainty).toMatchObject({
      degrees: 9,
      error: expect.closeTo(Math.sqrt(0.04 * 0.96) / 10, 12),
    });
  });

  test('whose items belong to people are compared over people', () => {
    const groupOf = (item: number) => `p${item % 2}`;
    const { contrasts, reason } = judgeOne({ kind: 'difference', arm: 'a', than: 'b' }, SCORES, {
      groupOf,
      trainings: 'fixed',
    });
    // Two people with six answers each, 14 and 22 in all: means 7 / 3 and 11 / 3.
    expect(contrasts[0]!.contrast.certainty).toMatchObject({ degrees: 1, error: expect.closeTo(2 / 3, 12) });
    expect(reason).toContain('Over 2 groups, for these trainings');
  });

  test('with lower scores are better where the file says so', () => {
    const better = { better: 'lower' } as const;
    expect(judgeOne({ kind: 'difference', arm: 'b', than: 'a' }, SCORES, better).verdict).toBe('reproduced');
    expect(judgeOne({ kind: 'difference', arm: 'a', than: 'b' }, SCORES, better).verdict).toBe(
      'not-reproduced',
    );
    expect(judgeOne({ kind: 'order', arms: ['b', 'a'] }, SCORES, better).verdict).toBe('reproduced');
  });
});

/** Ten seeds and twenty items, all close to a value. */
function shifted(shift: number, spread = 0.1): Values[string] {
  return Array.from({ length: 10 }, (_, seed) =>
    Array.from({ length: 20 }, (_, item) => shift + spread * Math.sin(7 * seed + 3 * item + seed * item)),
  );
}

describe('what is claimed of arms', () => {
  const values: Values = {
    zero: shifted(0, 0),
    tiny: shifted(0.05),
    small: shifted(0.5),
    large: shifted(2, 0.2),
    vague: Array.from({ length: 10 }, (_, seed) => new Array<number>(20).fill(seed % 2 === 0 ? 3.5 : -2.5)),
  };

  test.each([
    ['equivalence', 'tiny', 'reproduced'],
    ['equivalence', 'small', 'reproduced'],
    ['equivalence', 'large', 'not-reproduced'],
    ['equivalence', 'vague', 'inconclusive'],
    ['difference', 'large', 'reproduced'],
    // Significant, and certainly too small to matter.
    ['difference', 'small', 'not-reproduced'],
    ['difference', 'vague', 'inconclusive'],
    ['no-worse', 'large', 'reproduced'],
    ['no-worse', 'small', 'reproduced'],
    ['no-worse', 'vague', 'inconclusive'],
  ] as const)('%s: %s is %s', (kind, arm, verdict) => {
    expect(judgeOne({ kind, arm, than: 'zero', margin: 1 }, values).verdict).toBe(verdict);
  });

  test('a loss that matters is one', () => {
    expect(judgeOne({ kind: 'no-worse', arm: 'zero', than: 'large', margin: 1 }, values)).toMatchObject({
      verdict: 'not-reproduced',
      reason:
        'Over ten seeds and 20 items, the difference is certainly below −1 (one-sided tests at 5 %: 90 % interval −2.014 to −1.977).',
    });
    expect(judgeOne({ kind: 'no-worse', arm: 'zero', than: 'small', margin: 1 }, values).verdict).toBe(
      'reproduced',
    );
    expect(judgeOne({ kind: 'difference', arm: 'zero', than: 'small' }, values).verdict).toBe(
      'not-reproduced',
    );
  });

  test.each([
    [['large', 'small', 'zero'], 'reproduced'],
    [['large', 'zero', 'small'], 'not-reproduced'],
    [['large', 'vague', 'zero'], 'inconclusive'],
  ] as const)('an order: %s is %s', (arms, verdict) => {
    expect(judgeOne({ kind: 'order', arms }, values).verdict).toBe(verdict);
  });
});

describe('what cannot be judged', () => {
  test.each([
    [
      'an arm that is missing',
      { kind: 'difference', arm: 'a', than: 'bb' } as const,
      'The results have no arm "bb". Closest: "b".',
    ],
    [
      'what nothing can test',
      { kind: 'untestable', because: 'there is no number' } as const,
      'No results can test this: there is no number.',
    ],
  ])('%s', (_, measure, reason) => {
    expect(judgeOne(measure, SCORES)).toMatchObject({ verdict: 'not-applicable', reason, measured: '' });
  });

  test('arms without a common seed', () => {
    const values = { a: [[1, 2], []], b: [[], [1, 2]] } satisfies Values;
    expect(judgeOne({ kind: 'equivalence', arm: 'a', than: 'b', margin: 1 }, values)).toMatchObject({
      verdict: 'not-applicable',
      reason: '"a" and "b" have no seed in common. Name seeds alike in each arm: 1, 2, 3.',
    });
  });

  test('arms that answered different items', () => {
    expect(
      judgeOne({ kind: 'equivalence', arm: 'a', than: 'b', margin: 1 }, { a: [[1, 2]], b: [[1]] }),
    ).toMatchObject({
      verdict: 'not-applicable',
      reason: 'With seed "1", "b" has no item "1", which "a" has.',
    });
  });

  test('and seeds that only one arm has are left out, and counted', () => {
    const { reason } = judgeOne(
      { kind: 'equivalence', arm: 'a', than: 'b', margin: 9 },
      { a: SCORES.a!, b: SCORES.a!.slice(1).map((row) => row.toReversed()) },
    );
    expect(reason).toMatch(/^Over two seeds and .* Left out: one seed that not all of these arms have\.$/);
  });

  test('arms that all differ by the same', () => {
    const values: Values = {
      a: [
        [1, 1],
        [1, 1],
      ],
      b: [
        [0, 0],
        [0, 0],
      ],
    };
    expect(judgeOne({ kind: 'difference', arm: 'a', than: 'b' }, values)).toMatchObject({
      verdict: 'inconclusive',
      reason: 'The difference is the same everywhere, which does not say how far others may be.',
    });
  });
});

describe('what is probably a mistake', () => {
  const answers = right(150, 200);
  const shifted = (by: number) => [...answers.slice(by), ...answers.slice(0, by)];

  test.each([
    ['a margin in points', { margin: 2 }, {}, 'claim "a": margin 2 is 200 points.'],
    [
      'lower answers as the better ones',
      { margin: 0.02 },
      { better: 'lower' },
      'claim "a": "better: lower" is for scores.',
    ],
  ] as const)('%s is refused', (_, margin, stated, message) => {
    const measure = { kind: 'equivalence', arm: 'a', than: 'b', ...margin } as const;
    expect(() => judgeOne(measure, { a: [answers], b: [answers] }, stated)).toThrow(
      expect.objectContaining({ code: 'claims-invalid', message }),
    );
  });

  test('the same answers with every seed count as one training', () => {
    const measure = { kind: 'difference', arm: 'a', than: 'b' } as const;
    const same = { a: [answers, answers], b: [right(20, 200), right(20, 200)] };
    expect(judgeOne(measure, same)).toMatchObject({
      verdict: 'inconclusive',
      reason: expect.stringMatching(/^Every seed gave the same answers/),
    });
    // An arm without chance beside one that was trained is none.
    expect(judgeOne(measure, { ...same, a: [answers, shifted(10)] }).reason).toMatch(
      /^Over two seeds and 200 items/,
    );
  });

  test('an order with such a pair is open, whatever the others show', () => {
    const values = {
      a: [answers, answers],
      b: [right(20, 200), right(20, 200)],
      c: [right(2, 200), right(3, 200)],
    };
    expect(judgeOne({ kind: 'order', arms: ['a', 'b', 'c'] }, values).reason).toMatch(
      /^Every seed gave the same/,
    );
  });

  test('answers that are all wrong contradict an accuracy, with groups and without', () => {
    const none = { a: [right(0, 200), right(0, 200)] };
    const groupOf = (item: number) => `p${item % 20}`;
    for (const study of [{}, { groupOf }])
      expect(judgeOne({ ...OURS, n: 200 }, none, study).verdict).toBe('not-reproduced');
  });

  test('a margin that follows from a few items is at most five points', () => {
    const { comparison, reason } = judgeOne(
      { ...OURS, published: 0.9, n: 10 },
      { a: [right(209, 300)] },
      { trainings: 'fixed' },
    );
    expect(comparison!.margin).toBe(0.05);
    expect(reason).toContain('the margin, 5.0\u00a0points, by default');
  });

  test('a seed with fewer items than others is mentioned', () => {
    const measure = { kind: 'difference', arm: 'a', than: 'b' } as const;
    const { reason } = judgeOne(measure, { a: [answers, right(3, 4)], b: [right(20, 200), right(1, 4)] });
    expect(reason).toMatch(/ Seeds have 4 to 200 items\.$/);
  });

  test.each([
    [
      { trainings: 'fixed' } as const,
      'There is one group, which does not say how far others may be from it.',
    ],
    [{}, /^Over two seeds, not for other groups, the difference is/],
  ])('one person says nothing of others: %o', (stated, reason) => {
    const values = { a: [answers, shifted(10)], b: [right(20, 200), right(30, 200)] };
    const judged = judgeOne({ kind: 'difference', arm: 'a', than: 'b' }, values, {
      groupOf: () => 'p',
      ...stated,
    });
    expect(judged.reason).toEqual(typeof reason === 'string' ? reason : expect.stringMatching(reason));
  });
});
