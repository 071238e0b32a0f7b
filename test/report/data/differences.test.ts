import { describe, expect, it } from 'vitest';
import { compareModels } from '../../../src/report/data/outcome.ts';
import type { Cell } from '../../../src/report/page/document.ts';
import { tabulateDifferences } from '../../../src/report/sections/outcome-tables.ts';
import { makeModelResult, makeResults, makeRunResult, split } from '../result-values.ts';

/** Answers to ten clips, of which those listed are wrong. */
const answersBut = (...wrong: number[]) =>
  Array.from({ length: 10 }, (_, clip) => ({ clip, user: null, class: 0, right: !wrong.includes(clip) }));

const modelBut = (id: string, ...wrong: number[]) =>
  makeModelResult({ id, title: id, runs: [makeRunResult({ answers: answersBut(...wrong) })] });

const textOf = (cells: readonly Cell[] | undefined) =>
  cells?.map(({ text }) => text.replaceAll('\u00a0', ' '));

describe('the differences between models', () => {
  it('are tested clip by clip with a single seed, and corrected for their number', () => {
    // "a" is right on five clips on which "first" is wrong, and wrong on one: p = 2 · (1 + 6) / 64.
    const models = [modelBut('first', 0, 1, 2, 3, 4), modelBut('a', 9), modelBut('b', 0, 1, 2, 3, 4)];
    const [a, b] = compareModels(makeResults({ models }));
    expect(a).toMatchObject({
      difference: 0.4,
      p: expect.closeTo(14 / 64, 12),
      adjusted: expect.closeTo(28 / 64, 12),
      discordance: { onlyFirst: 5, onlySecond: 1 },
    });
    expect(b).toMatchObject({ difference: 0, p: 1, adjusted: 1 });
    // Half a clip more in each of the four ways: 4/12 ± 1.96 · √(7 − 12 · (4/12)²) / 12.
    const table = tabulateDifferences(makeResults({ models }));
    expect(textOf(table?.rows[0])).toEqual([
      'a',
      '+40.0 points',
      '−5.5 to +72.2 points',
      '5',
      '1',
      '0.219',
      '0.438',
    ]);
    expect(table?.columns.map(({ label }) => label)).toContain('Only first is right');
  });

  it('are tested seed by seed from three seeds on, each seed with itself', () => {
    const runs = (...right: number[]) =>
      right.map((count, seed) => makeRunResult({ seed, test: split(count, 100) }));
    const models = [
      makeModelResult({ runs: runs(80, 85, 90) }),
      makeModelResult({ id: 'a', title: 'A', runs: runs(82, 88, 94) }),
    ];
    const [a] = compareModels(makeResults({ seeds: [0, 1, 2], models }));
    // Differences 2, 3, 4: mean 3, deviation 1, t = 3 · √3 = 5.196 with 2 degrees of freedom; t(0.975, 2) = 4.3027.
    expect(a?.difference).toBeCloseTo(0.03, 12);
    expect(a?.low).toBeCloseTo(0.03 - 0.043027 / Math.sqrt(3), 6);
    // With two degrees of freedom, p = 1 − t / √(2 + t²).
    expect(a?.p).toBeCloseTo(1 - Math.sqrt(27 / 29), 6);
    expect(a?.discordance).toBeNull();
    const table = tabulateDifferences(makeResults({ seeds: [0, 1, 2], models }));
    expect(textOf(table?.rows[0])?.slice(0, 2)).toEqual(['A', '+3.0 points']);
    expect(table?.columns).toHaveLength(5);
  });

  it('of two seeds are those of the means, and each clip counts once', () => {
    const twice = (id: string, ...wrong: readonly (readonly number[])[]) =>
      makeModelResult({
        id,
        title: id,
        runs: wrong.map((clips, seed) =>
          makeRunResult({ seed, answers: answersBut(...clips), test: split(10 - clips.length, 10) }),
        ),
      });
    // On clips 0, 1 and 2 "a" is better by two seeds, one and one; on clip 9 it is worse by one.
    const models = [twice('first', [0, 1], [0, 2]), twice('a', [9], [])];
    const results = makeResults({ seeds: [1, 2], models });
    const [a] = compareModels(results);
    expect(a?.difference).toBeCloseTo(0.95 - 0.8, 12);
    // Of the 16 ways to sign 2, 1, 1 and 1, four give 3 or more: 5, and 3 with each of the ones turned.
    expect(a?.p).toBeCloseTo(2 * (4 / 16), 12);
    // Student: mean 0.15 of ten clips, deviation √(1.525 / 9), t(0.975, 9) = 2.2622.
    const reach = (2.262157 * Math.sqrt((1.75 - 10 * 0.15 ** 2) / 9)) / Math.sqrt(10);
    expect([a?.low, a?.high]).toEqual([expect.closeTo(0.15 - reach, 5), expect.closeTo(0.15 + reach, 5)]);
    const table = tabulateDifferences(results);
    expect(table?.columns).toHaveLength(5);
    expect(JSON.stringify(table?.notes)).toContain('Of the means over 2 seeds');
  });

  it('need a second model', () => {
    expect(tabulateDifferences(makeResults())).toBeNull();
  });
});
