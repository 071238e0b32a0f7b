import { describe, expect, test } from 'vitest';
import type { RunResult } from '../../../src/report/data/results.ts';
import { judge, NAMES, withTest } from './judging.ts';

/** Answers to 288 clips of six users, 48 each: of each user, so many are right. */
function byUser(right: readonly number[], overrides: Partial<RunResult> = {}): RunResult {
  const answers = Array.from({ length: 288 }, (_, clip) => {
    const user = clip % 6;
    return { clip, user, class: 0, right: Math.floor(clip / 6) < right[user]! };
  });
  return withTest(
    right.reduce((sum, count) => sum + count, 0),
    { answers, ...overrides },
  );
}

const SAME = [45, 46, 46, 46, 46, 46];

describe('no difference', () => {
  const measure = { kind: 'difference', model: 'Baseline', others: NAMES.slice(1), margin: 6 } as const;
  const judged = (baseline: readonly number[], others: readonly number[]) =>
    judge(measure, (name) => [byUser(name === 'Baseline' ? baseline : others)]);

  test('is reproduced only if the models are shown to be equal', () => {
    const judgement = judged(SAME, [46, 46, 46, 46, 46, 46]);
    expect(judgement).toMatchObject({
      verdict: 'reproduced',
      reason:
        'Over six users, for these trainings, every difference is certainly smaller than the margin, 2.1\u00a0points (one-sided tests at 5 %).',
    });
    // One clip of one of six users: 1 / 288 ± 2.571 · (1 / 288).
    expect(judgement.measured).toContain(
      'No Reg. − Baseline +0.3\u00a0points (95 % interval −0.5 to +1.2\u00a0points, p = 0.363)',
    );
  });

  test('is never reproduced where the error rate is half as high again', () => {
    // 275 right are 13 wrong; half of them more are 6.5.
    for (const worse of [
      [44, 45, 45, 45, 45, 45],
      [44, 44, 44, 44, 43, 43],
    ])
      expect(judged(SAME, worse).verdict, `${worse}`).not.toBe('reproduced');
  });

  test('is not reproduced if one model is clearly worse', () => {
    const judgement = judge(measure, (name) => [byUser(name === 'λ = .1' ? [40, 41, 42, 42, 41, 40] : SAME)]);
    expect(judgement).toMatchObject({ verdict: 'not-reproduced' });
    expect(judgement.reason).toMatch(
      /at least one difference is certainly larger than the margin, 2\.1.points \(one-sided tests at 5 %, divided by their number\)\.$/,
    );
  });

  test('is inconclusive if users differ in both directions, and says what could have been found', () => {
    const judgement = judged([40, 40, 40, 46, 46, 46], [46, 46, 46, 40, 40, 40]);
    expect(judgement).toMatchObject({ verdict: 'inconclusive' });
    // ± 6 of 48 clips of each user: the error is √(6 / 5 · 6 · 36) / 288 = 5.59 points; five degrees of freedom and a level of 5 % / 3 take 4.597 of them.
    expect(judgement.reason).toMatch(
      /not every difference is certainly smaller than the margin, 2\.1.points \(one-sided tests at 5 %\), and none is certainly larger than it \(one-sided tests at 5 %, divided by their number\)\. A true difference of 25\.7.points would be significantly different from 0 in four of five cases\.$/,
    );
  });

  test('that is the same for every user is none that could be tested', () => {
    const judgement = judged([45, 45, 45, 45, 45, 45], [46, 46, 46, 46, 46, 46]);
    expect(judgement).toMatchObject({
      verdict: 'inconclusive',
      reason:
        'The difference is the same for every user, up to rounding, which does not say how far others may be.',
    });
    expect(judgement.measured).toMatch(/^No Reg\. − Baseline \+2\.1.points \(no interval\);/);
  });

  test('with several seeds is judged over seeds and users', () => {
    const seeds = [2020, 2021, 2022];
    const runs = (shift: number) =>
      seeds.map((seed, i) =>
        byUser(
          SAME.map((right, user) => right + shift + ((i + user) % 2)),
          { seed },
        ),
      );
    const judgedBy = (shift: number) =>
      judge(measure, (name) => runs(name === 'Baseline' ? 0 : shift), { seeds });
    const worse = judge(
      measure,
      (name) =>
        runs(0).map((run, i) =>
          name === 'Baseline' ? run : byUser([38, 37, 38, 39, 38, 38 - i], { seed: seeds[i]! }),
        ),
      { seeds },
    );
    expect(worse).toMatchObject({ verdict: 'not-reproduced' });
    expect(worse.reason).toMatch(
      /^Over three seeds and six users, at least one difference is certainly larger than the margin/,
    );
    // Not the same in every cell, but on average.
    expect(judgedBy(0).verdict).toBe('inconclusive');
  });
});

describe('a model below others', () => {
  const measure = { kind: 'below', model: 'No Reg.', others: ['Baseline', 'λ = .01', 'λ = .1'] } as const;
  const low = [41, 42, 41, 42, 42, 42];
  const judged = (noReg: readonly number[], rest: readonly number[], last = rest) =>
    judge(measure, (name) => [byUser(name === 'No Reg.' ? noReg : name === 'λ = .1' ? last : rest)]);

  test.each([
    [
      'clearly worse than all',
      low,
      SAME,
      [45, 45, 44, 45, 44, 45],
      'reproduced',
      'every difference is certainly above 0',
    ],
    [
      'clearly better than one of them',
      SAME,
      SAME.toReversed(),
      low,
      'not-reproduced',
      'at least one difference is certainly below 0',
    ],
    [
      'worse than some of them',
      low,
      SAME,
      [42, 41, 42, 42, 41, 42],
      'inconclusive',
      'not every difference is certainly above 0',
    ],
    // As published: one to three clips.
    [
      'worse by a clip',
      [45, 45, 46, 46, 46, 46],
      SAME,
      [46, 46, 46, 46, 46, 47],
      'inconclusive',
      'not every difference is certainly above 0',
    ],
  ])('%s', (_, noReg, rest, last, verdict, reason) => {
    const judgement = judged(noReg, rest, last);
    expect(judgement.reason).toContain(reason);
    expect(judgement).toMatchObject({ verdict });
    expect(judgement.measured).toMatch(/^Baseline − No Reg\. /);
  });
});
