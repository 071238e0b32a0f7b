import { describe, expect, test } from 'vitest';
import { ACCURACY, judgeOne, right, type Values } from './studies.ts';

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

  test.each([
    ['items', {}, 99],
    ['people', { groupOf: (item: number) => `p${item % 10}` }, 9],
  ])(
    'that differ on few items, all in one direction, are not certainly alike: over %s',
    (_, options, degrees) => {
      // 2 of 100: the scatter alone gives 1.4 points; at a margin of 4, it is at least √(0.04 · 0.96 / 100).
      const values = { a: [right(52, 100)], b: [right(50, 100)] };
      const { contrasts } = judgeOne({ kind: 'equivalence', arm: 'a', than: 'b', margin: 0.04 }, values, {
        trainings: 'fixed',
        ...options,
      });
      expect(contrasts[0]!.contrast.certainty).toMatchObject({
        degrees,
        error: expect.closeTo(Math.sqrt(0.04 * 0.96) / 10, 12),
      });
    },
  );

  test.each([
    ['item', [[true]], [[false]], {}],
    ['item', [[true]], [[true]], {}],
    ['group', [right(52, 100)], [right(50, 100)], { groupOf: () => 'p' }],
  ])('of one training each on one %s are open, whatever the margin', (what, a, b, options) => {
    for (const kind of ['equivalence', 'difference', 'no-worse'] as const)
      expect(
        judgeOne({ kind, arm: 'a', than: 'b', margin: 0.1 }, { a, b }, { trainings: 'fixed', ...options }),
      ).toMatchObject({
        verdict: 'inconclusive',
        reason: `There is one ${what}, which does not say how far others may be from it.`,
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
      reason:
        'The mean difference is the same for every seed and item, up to rounding, which does not say how far others may be.',
    });
  });
});

describe('a published value of other people', () => {
  /** Of four people with ten items each, 10, 9, 7 and 6 are right. */
  const values = { a: [[10, 9, 7, 6].flatMap((correct) => right(correct, 10))] };
  const share = { kind: 'accuracy', arm: 'a', published: 0.8, margin: 0.2 } as const;
  const judge = (measure: Parameters<typeof judgeOne>[0], hasGroups = true) =>
    judgeOne(measure, values, {
      trainings: 'fixed',
      requires: { items: 1 },
      ...(hasGroups && { groupOf: (item) => `p${Math.floor(item / 10)}` }),
    }).comparison!.low;
  // Their means, 1, 0.9, 0.7 and 0.6, have a standard error of 0.091287, of which Student's t is 3.18245.
  const reach = 0.290516;

  test('scatters as our people do, the less the more people it is of', () => {
    expect(judge({ ...share, n: 40, groups: 4 })).toBeCloseTo(-Math.hypot(reach, reach), 5);
    expect(judge({ ...share, n: 40, groups: 16 })).toBeCloseTo(-Math.hypot(reach, reach / 2), 5);
  });

  test('scatters at least as its items do', () => {
    // Wilson's interval of 32 of 40 ends at 0.89498.
    expect(judge({ ...share, n: 40, groups: 400 })).toBeCloseTo(-Math.hypot(reach, 0.09498), 4);
    expect(judge({ ...share, n: 40 })).toBeCloseTo(-Math.hypot(reach, 0.09498), 4);
  });

  test('is of so many of our people as its items are of our items, if it is of fewer', () => {
    expect(judge({ ...share, n: 20 })).toBeCloseTo(-Math.hypot(reach, reach * Math.SQRT2), 5);
  });

  test('counts as one of our people if its items may be ours, and the reason says so', () => {
    const groupOf = (item: number) => `p${Math.floor(item / 10)}`;
    const reason = (measure: object) =>
      judgeOne({ ...share, n: 40, ...measure }, values, { trainings: 'fixed', groupOf }).reason;
    expect(reason({})).toMatch(/of these groups; if it is of others, state `groups`\.$/);
    expect(reason({ groups: 4 })).not.toContain('`groups`');
  });

  test('counts each of them once where we know nobody', () => {
    const own = judge({ ...share, n: 40, groups: 10 }, false);
    expect(own).toBeCloseTo(judge({ ...share, n: 10 }, false), 12);
  });

  test('has as many degrees of freedom as people but one, if it is a score', () => {
    const score = { kind: 'score', arm: 'a', published: 0.8, margin: 0.2, error: 0.1 } as const;
    const scores = { a: values.a.map((row) => row.map(Number)) };
    const options = { trainings: 'fixed', groupOf: (item: number) => `p${Math.floor(item / 10)}` } as const;
    const low = (groups: object) => judgeOne({ ...score, ...groups }, scores, options).comparison!.low;
    expect(low({})).toBeCloseTo(-Math.hypot(reach, 0.1959964), 5);
    expect(low({ groups: 3 })).toBeCloseTo(-Math.hypot(reach, 0.4302653), 5);
  });
});

describe('scores of any size', () => {
  /** An arm that is better than the other one by about a thirtieth. */
  const study = (size: number) =>
    ({
      a: SCORES.a!.map((row) => row.map((value) => size * (Number(value) + 90))),
      b: SCORES.a!.map((row, seed) => row.map((_, item) => size * (90 - ((seed + item) % 3) / 4))),
    }) satisfies Values;
  const stated = { published: 92, seeds: 3 } as const;

  test.each([-1020, -700, -100, 30, 700, 980])('have the same verdicts in units of 2 to the %i', (power) => {
    for (const trainings of ['drawn', 'fixed'] as const)
      for (const groupOf of [undefined, (item: number) => `p${item % 2}`]) {
        const options = { trainings, ...(groupOf && { groupOf }) };
        const [plain, other] = [1, 2 ** power].map((unit) => {
          const kind = { kind: 'difference', arm: 'a', than: 'b', margin: 0.5 * unit } as const;
          const published = {
            kind: 'score',
            arm: 'a',
            margin: unit,
            ...stated,
            published: 92 * unit,
          } as const;
          const { contrasts, verdict, reason } = judgeOne(kind, study(unit), options);
          const { p, interval } = contrasts[0]!.contrast.certainty!;
          const compared = judgeOne(published, study(unit), options);
          expect(reason).toContain('the difference is ');
          const numbers = [p, interval.low / unit, compared.comparison!.high / unit];
          return { verdict, published: compared.verdict, numbers };
        });
        expect(other).toEqual({
          ...plain!,
          numbers: plain!.numbers.map((value) => expect.closeTo(value, 12)),
        });
      }
  });

  test('have minus signs in their exponents, too', () => {
    const { measured } = judgeOne({ kind: 'difference', arm: 'b', than: 'a' }, study(2 ** -1020));
    expect(measured).toMatch(/interval −\S+e−30\d to −\S+e−30\d,/);
  });

  test('differ by rounding alone if they differ by the same in decimals', () => {
    const b = SCORES.a!.map((row) => row.map((value) => 1e6 + Number(value) / 10));
    const a = b.map((row) => row.map((value) => Number((value + 0.1).toFixed(1))));
    expect(judgeOne({ kind: 'difference', arm: 'a', than: 'b' }, { a, b })).toMatchObject({
      verdict: 'inconclusive',
      reason: expect.stringMatching(/^The mean difference is the same for every seed and item/),
    });
  });

  test.each([
    ['seed and group', {}],
    ['group', { trainings: 'fixed' } as const],
  ])('that have the same mean in every %s are not said to be equal', (everywhere, options) => {
    const groupOf = (item: number) => `p${item % 2}`;
    const a = [
      [1, 2, 3, 2],
      [0, 1, 4, 3],
    ];
    const { reason } = judgeOne(
      { kind: 'score', arm: 'a', published: 2, margin: 1 },
      { a },
      { groupOf, ...options },
    );
    expect(reason).toBe(
      `The mean is the same for every ${everywhere}, up to rounding, which does not say how far others may be.`,
    );
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
      '"better: lower" is for scores.',
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

  describe('two seeds with the same answers', () => {
    const measure = { kind: 'difference', arm: 'a', than: 'b' } as const;
    /** Right answers but for some items. */
    const wrongAt = (of: number, ...places: readonly number[]) =>
      Array.from({ length: of }, (_, item) => !places.includes(item));
    const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
    const judgeArm = (a: boolean[][], stated = {}) =>
      judgeOne(measure, { a, b: a.map((row, seed) => [...right(seed, 12), ...row.slice(12)]) }, stated);

    test('count as one training, of which the reason names arm, seeds and remedy', () => {
      const a = [answers, shifted(10), answers, shifted(30)];
      const { verdict, reason } = judgeArm(a);
      expect(verdict).toBe('inconclusive');
      expect(reason).toMatch(/^Seeds "1" and "3" of "a" gave the same answers.*`trainings: fixed`/);
      const ten = [...Array.from({ length: 2 }, () => wrongAt(90, ...range(0, 10))), right(0, 90)];
      expect(judgeArm(ten).reason).toMatch(/^Seeds "1" and "2" of "a" gave/);
      expect(judgeArm(a, { trainings: 'fixed' }).reason).toMatch(/^Over 200 items, for these trainings/);
    });

    test('count as one training, if they are scores', () => {
      const scores = (seed: number) => Array.from({ length: 40 }, (_, item) => Math.sin(seed + item));
      const values = { a: [scores(1), scores(2), scores(2)], b: [scores(3), scores(4), scores(5)] };
      expect(judgeOne(measure, values).reason).toMatch(/^Seeds "2" and "3" of "a" gave the same answers/);
    });

    test.each([
      [
        'nine answers are wrong',
        [wrongAt(90, ...range(0, 9)), wrongAt(90, ...range(0, 9)), wrongAt(90, ...range(40, 80))],
      ],
      ['nine answers are right', [right(9, 90), right(9, 90), right(70, 90)]],
      ['another seed differs on nine items', [right(40, 90), right(40, 90), right(49, 90)]],
      ['others differ on nine items', [right(40, 90), right(40, 90), right(60, 90), right(69, 90)]],
      ['there are few items', [right(7, 13), right(7, 13), right(1, 13)]],
    ])('may be so by chance if %s', (_, a) => {
      expect(judgeArm(a).reason).not.toContain('gave the same answers');
    });

    test('of which each has one score may be so by chance', () => {
      const values = { a: [[0.9], [0.9], [0.8]], b: [[0.1], [0.2], [0.3]] };
      expect(judgeOne(measure, values).reason).toMatch(/^Over three seeds/);
    });
  });

  test('answers that are all wrong contradict an accuracy, with groups and without', () => {
    const none = { a: [right(0, 200), right(0, 200)] };
    const groupOf = (item: number) => `p${item % 20}`;
    for (const study of [{}, { groupOf }])
      expect(judgeOne({ ...ACCURACY, n: 200 }, none, study).verdict).toBe('not-reproduced');
  });

  test('a margin that follows from a few items is at most five points', () => {
    const { comparison, reason } = judgeOne(
      { ...ACCURACY, published: 0.9, n: 10 },
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
