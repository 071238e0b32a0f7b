import { describe, expect, it } from 'vitest';
import { compareModels, tabulateDifferences } from '../../src/report/differences.ts';
import type { Cell } from '../../src/report/document.ts';
import { makeModelResult, makeResults, makeRunResult, split } from './result-values.ts';

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

  it('use the clips of the first of two seeds only, and say so', () => {
    const twice = (id: string, ...wrong: number[]) =>
      makeModelResult({
        id,
        runs: [1, 2].map((seed) => makeRunResult({ seed, answers: answersBut(...wrong) })),
      });
    const results = makeResults({ seeds: [1, 2], models: [twice('first', 0), twice('a', 1)] });
    expect(compareModels(results)[0]?.discordance).toEqual({ clips: 10, onlyFirst: 1, onlySecond: 1 });
    expect(JSON.stringify(tabulateDifferences(results)?.notes)).toContain('with seed 1');
  });

  it('need a second model', () => {
    expect(tabulateDifferences(makeResults())).toBeNull();
  });
});
