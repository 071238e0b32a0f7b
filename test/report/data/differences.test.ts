import { describe, expect, it } from 'vitest';
import { judgeOthers } from '../../../src/report/claims/judgement.ts';
import { contrastModels } from '../../../src/report/data/question.ts';
import type { ModelResult } from '../../../src/report/data/results.ts';
import { tabulateDifferences } from '../../../src/report/sections/outcome-tables.ts';
import { makeModelResult, makeRunResult, plain, spaced, split, textsOf } from '../result-values.ts';

/** A model with one run for each row: of ten clips of each user, so many are right. */
function modelWith(title: string, ...rows: readonly (readonly number[])[]): ModelResult {
  const runs = rows.map((right, seed) => {
    const answers = right.flatMap((count, user) =>
      Array.from({ length: 10 }, (_, at) => ({ clip: 10 * user + at, user, class: 0, right: at < count })),
    );
    const correct = right.reduce((sum, count) => sum + count, 0);
    return makeRunResult({ seed, answers, test: split(correct, answers.length) });
  });
  return makeModelResult({ id: title, title, runs });
}

const read = (first: ModelResult, ...others: readonly ModelResult[]) => {
  const table = tabulateDifferences(contrastModels(first, others));
  return { rows: textsOf(table), note: table.notes.map(plain).join(' ') };
};

describe('the differences between models', () => {
  // The users' differences are 1, 3 and 5 of 10 clips: 9 of 30, from which they deviate by −2, 0 and 2 clips. The error is √(3 / 2 · 8) / 30, with
  // 2 degrees of freedom: t² = 9² / 12, p = 1 − √(t² / (2 + t²)) = 1 − √(6.75 / 8.75) = 0.1217. The interval reaches 4.3027 · √12 / 30.
  const first = modelWith('first', [4, 4, 4]);
  const better = modelWith('better', [5, 7, 9]);
  const even = modelWith('even', [5, 5, 5]);

  it('with a single seed are for these trainings and other users, corrected for their number', () => {
    const { rows, note } = read(first, better, even);
    expect(rows).toEqual([
      ['better', '+30.0 points', '−19.7 to +79.7 points', '0.122', '0.243'],
      ['even', '+10.0 points', '–', '–', '–'],
    ]);
    expect(note).toBe(
      'Tests and intervals are over three users, for these trainings; docs/claims.md has the method. The last column is Holm-corrected for two comparisons; the intervals are not. A large p is no evidence that models are equal. –: the difference is the same for every user, up to rounding, which does not say how far others may be.',
    );
  });

  it('of a single user are not said to be the same for others', () => {
    const [one, other] = [modelWith('one', [4], [4]), modelWith('other', [9], [8])];
    const { rows, note } = read(one, other);
    expect(rows[0]?.slice(1)).toEqual(['+45.0 points', '–', '–', '–']);
    const reason = 'here is one user, which does not say how far others may be from it.';
    expect(note).toContain(`–: t${reason}`);
    expect(judgeOthers('equal', one, [other], 3)).toMatchObject({
      verdict: 'inconclusive',
      reason: `T${reason}`,
    });
  });

  it('are those by which claims are judged', () => {
    expect(spaced(judgeOthers('equal', first, [better, even], 3).measured)).toBe(
      'better − first +30.0 points (95 % interval −19.7 to +79.7 points, p = 0.122); even − first +10.0 points (no interval)',
    );
  });

  it('with several seeds are for other seeds and other users', () => {
    const same = [2, 2, 2];
    // Three clips, and −1, 0 and 1 of each seed and of each user: 27 of 90. Squared sums over users and over seeds are 18, so both variances are
    // 3 / 2 · 18 = 27, and nothing is left: t² = 27² / 54 with 2 degrees of freedom, p = 1 − √(13.5 / 15.5) = 0.0667. The interval reaches
    // 4.3027 · √54 / 90. Over the seeds alone, p would be 0.035.
    const { rows, note } = read(
      modelWith('first', same, same, same),
      modelWith('a', [3, 4, 5], [4, 5, 6], [5, 6, 7]),
    );
    expect(rows).toEqual([['a', '+30.0 points', '−5.1 to +65.1 points', '0.067', '0.067']]);
    expect(note).toMatch(/^Tests and intervals are over three seeds and three users; .* one comparison; /);
    expect(note).not.toContain('–');
  });

  it('are over clips where the data set has no users', () => {
    const withoutUsers = ({ runs, ...model }: ModelResult) => ({
      ...model,
      runs: runs.map((run) => ({ ...run, answers: run.answers.map((one) => ({ ...one, user: null })) })),
    });
    // One of ten clips is right by the first, five by the other: squares 4 − 10 · 0.4² = 2.4, error √(10 / 9 · 2.4) / 10, t(0.975, 9) = 2.2622.
    const { rows, note } = read(withoutUsers(modelWith('first', [1])), withoutUsers(modelWith('a', [5])));
    expect(rows[0]?.slice(0, 3)).toEqual(['a', '+40.0 points', '+3.1 to +76.9 points']);
    expect(note).toMatch(/^Tests and intervals are over 10 clips, for these trainings/);
  });
});
