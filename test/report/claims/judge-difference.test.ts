import { describe, expect, test } from 'vitest';
import { makeAnswers } from '../result-values.ts';
import { judge, NAMES, withTest } from './judging.ts';

describe('no difference', () => {
  const measure = { kind: 'difference', model: 'Baseline', others: NAMES.slice(1), margin: 6 } as const;

  test('is reproduced only if the models are shown to be equal', () => {
    const judgement = judge(measure, (name) => [withTest(name === 'Baseline' ? 275 : 276)]);
    expect(judgement).toMatchObject({ verdict: 'reproduced' });
    expect(judgement.measured).toContain(
      'from Baseline: No Reg. +0.3\u00a0points (95 % interval −0.6 to +1.3\u00a0points, corrected p = 1.000)',
    );
  });

  test('is never reproduced where the error rate is half as high again', () => {
    // 275 right are 13 wrong; half of them more are 6.5. On 6 clips, the 90 % interval reaches from 2 to 10 of them.
    for (const worse of [269, 262]) {
      const { verdict } = judge(measure, (name) => [withTest(name === 'Baseline' ? 275 : worse)]);
      expect(verdict, `${worse} of 288`).not.toBe('reproduced');
    }
    // The same number wrong, on other clips: 8 only here and 8 only there, so that 16 clips leave 7 to either side.
    const baseline = makeAnswers(275, 288);
    const other = baseline.map((answer) => ({ ...answer, right: answer.clip >= 8 && answer.clip < 283 }));
    const judgement = judge(measure, (name) => [
      withTest(275, { answers: name === 'Baseline' ? baseline : other }),
    ]);
    expect(judgement).toMatchObject({ verdict: 'inconclusive' });
    expect(judgement.reason).toContain(
      'they are not certainly smaller than 6 clips of 288: only differences',
    );
  });

  test('is not reproduced if one model is clearly worse', () => {
    const judgement = judge(measure, (name) => [withTest(name === 'λ = .1' ? 250 : 275)]);
    expect(judgement).toMatchObject({ verdict: 'not-reproduced' });
    expect(judgement.reason).toMatch(/^λ = \.1: significant \(exact McNemar test/);
  });

  test('is inconclusive if the models disagree on many clips, each as often right', () => {
    // The other is wrong on the first 40 clips, and right on the last 40, where the baseline is wrong.
    const baseline = makeAnswers(248, 288);
    const other = baseline.map((answer) => ({ ...answer, right: answer.clip >= 40 }));
    const judgement = judge(measure, (name) => [
      withTest(248, { answers: name === 'Baseline' ? baseline : other }),
    ]);
    expect(judgement).toMatchObject({ verdict: 'inconclusive' });
    expect(judgement.reason).toMatch(
      /: only differences of at least 10\.4.points would be found in four of five cases\.$/,
    );
  });

  test('with three seeds is judged seed by seed', () => {
    const seeds = [2020, 2021, 2022];
    const runs = (...right: number[]) => right.map((correct, i) => withTest(correct, { seed: 2020 + i }));
    const baseline = [270, 275, 272];
    const judged = (...other: number[]) =>
      judge(measure, (name) => runs(...(name === 'Baseline' ? baseline : other)), { seeds });
    expect(judged(271, 275, 271)).toMatchObject({ verdict: 'reproduced' });
    const judgement = judged(210, 216, 211);
    expect(judgement).toMatchObject({ verdict: 'not-reproduced' });
    expect(judgement.reason).toContain('paired t test over three seeds');
  });

  test('that is the same in every seed is none that could be tested', () => {
    // Three seeds, each with one clip more right than the baseline's.
    const seeds = [2020, 2021, 2022];
    const judgement = judge(
      measure,
      (name) =>
        [270, 275, 272].map((correct, i) =>
          withTest(correct + (name === 'Baseline' ? 0 : 1), { seed: 2020 + i }),
        ),
      { seeds },
    );
    expect(judgement).toMatchObject({ verdict: 'inconclusive' });
    expect(judgement.measured).toMatch(/^from Baseline: No Reg\. \+0\.3.points everywhere, so no p;/);
    expect(judgement.reason).toMatch(/the same in every seed, so nothing says how much other seeds/);
  });

  test('names what three seeds would find in four of five cases, by the noncentral t distribution', () => {
    const shifts: Readonly<Record<string, readonly number[]>> = { Baseline: [0, 0, 0] };
    const { reason } = judge(
      measure,
      (name) => (shifts[name] ?? [-9, 0, 9]).map((shift, i) => withTest(270 + shift, { seed: 2020 + i })),
      { seeds: [2020, 2021, 2022] },
    );
    // 9 clips of 288 are 3.125 points; at a level of 5 % / 3, λ = 9.82 (SciPy's ncf): 9.82 · 3.125 / √3 = 17.7 points.
    expect(reason).toContain('at least 17.7\u00a0points would be found in four of five cases');
  });
});

describe('a model below others', () => {
  const measure = { kind: 'below', model: 'No Reg.', others: ['Baseline', 'λ = .01', 'λ = .1'] } as const;
  const judged = (noReg: number, rest: number, last = rest) =>
    judge(measure, (name) => [withTest(name === 'No Reg.' ? noReg : name === 'λ = .1' ? last : rest)]);

  test.each([
    // All differing clips in favour of the others: 15 and 25 of them.
    ['clearly worse than all', 250, 275, 265, 'reproduced', 'Every difference is significant'],
    ['clearly better than one of them', 275, 276, 250, 'not-reproduced', 'more accurate than λ = .1 ('],
    ['worse than some of them', 250, 275, 251, 'inconclusive', 'Not every difference is significant'],
    // As published: one to three clips.
    ['worse by a clip', 274, 275, 277, 'inconclusive', 'No difference is significant'],
  ])('%s', (_, noReg, rest, last, verdict, reason) => {
    const judgement = judged(noReg, rest, last);
    expect(judgement).toMatchObject({ verdict });
    expect(judgement.reason).toContain(reason);
    expect(judgement.measured).toMatch(/^from No Reg\.: Baseline /);
  });

  test('is judged seed by seed with three of them', () => {
    const shifts = [-1, 0, 2];
    const judgement = judge(
      measure,
      (name) =>
        shifts.map((shift, i) =>
          withTest((name === 'No Reg.' ? 240 : 270) + (name === 'No Reg.' ? 0 : shift), { seed: 2020 + i }),
        ),
      { seeds: [2020, 2021, 2022] },
    );
    expect(judgement).toMatchObject({ verdict: 'reproduced' });
    expect(judgement.reason).toContain('paired t test over three seeds');
  });
});
