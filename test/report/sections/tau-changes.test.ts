import { describe, expect, it } from 'vitest';
import { toCells } from '../../../bench/intervals/simulate.ts';
import type { RunResult } from '../../../src/report/data/results.ts';
import { describeTauChanges } from '../../../src/report/sections/tau-changes.ts';
import { crossedMean, spreadInterval } from '../../../src/verdicts/stats/crossed.ts';
import {
  makeModelResult,
  makeResults,
  makeRunResult,
  plain,
  spaced,
  split,
  textsOf,
} from '../result-values.ts';

/** With so many of 100 clips right, the last ones wrong. */
const answered = (correct: number) => ({
  ...split(correct, 100),
  wrong: Array.from({ length: 100 - correct }, (_, i) => correct + i),
});
const changed = (asTrained: number, again: number) => ({
  asTrained: answered(asTrained),
  again: answered(again),
});
const run = (seed: number, tau: RunResult['tau']) => makeRunResult({ seed, tau });
const uneven = makeModelResult({
  id: 'no-reg',
  title: 'Uneven',
  runs: [
    run(2020, { unchanged: changed(90, 92), 'layer-mean': changed(50, 83), jittered: changed(90, 92) }),
    run(2021, { unchanged: changed(90, 90), 'layer-mean': changed(60, 75), jittered: changed(90, 91) }),
  ],
});
const even = makeModelResult({ title: 'Even', runs: [run(2020, {}), run(2021, {})] });
const results = makeResults({ seeds: [2020, 2021], models: [even, uneven] });

function sectionOf(some: typeof results) {
  const blocks = describeTauChanges(some).flatMap((section) => section.blocks);
  return {
    text: blocks.flatMap((block) => (block.kind === 'paragraph' ? [plain(block.text)] : []))[0],
    table: blocks.flatMap((block) => (block.kind === 'table' ? [block.table] : []))[0],
    figure: blocks.flatMap((block) => (block.kind === 'figure' ? [block.figure] : []))[0],
  };
}

describe('the section on other time constants in trained networks', () => {
  const { text, table, figure } = sectionOf(results);

  it('says how many models are less accurate, and that this is not their need', () => {
    expect(text).toMatch(
      /^With every τ replaced by its layer’s mean, 0 of 1 model is less accurate \(−12\.0 points\)\. With τ jittered, 0 of 1 model is less accurate \(\+0\.5 points\)\. .* relies on the τ that it has, .* Whether it needs them shows only beside /,
    );
  });

  it('has accuracies with both kinds of statistics, and differences from τ as learned with intervals by seeds and users', () => {
    // Of 25 clips of each of the four users, who take turns: by how many more are right.
    const sums = [
      [-2, -2, -2, -3],
      [-4, -4, -3, -4],
    ];
    const clips = sums.map((row) => row.map(() => 25));
    const { mean, spread } = crossedMean(toCells(sums, clips));
    expect(mean).toBeCloseTo(-0.12, 12);
    const { low, high } = spreadInterval(mean, spread!, 0.95);
    const points = (share: number) => `${share < 0 ? '−' : '+'}${Math.abs(100 * share).toFixed(1)}`;
    expect(textsOf(table!).slice(0, 2)).toEqual([
      ['Uneven', 'as learned', '90.0 %', '91.0 %', '–', '–'],
      [
        'Uneven',
        'at the layer’s mean',
        '55.0 %',
        '79.0 %',
        '−12.0 points',
        `${points(low)} to ${points(high)} points`,
      ],
    ]);
    expect(textsOf(table!)[2]?.slice(0, 5)).toEqual([
      'Uneven',
      'jittered',
      '90.0 %',
      '91.5 %',
      '+0.5 points',
    ]);
    expect(plain(table!.notes[1]!)).toBe('Without τ that differ within a layer: Even.');
  });

  it('has a panel for each change, and its values as CSV', () => {
    expect(figure!.panels.map(({ title }) => title)).toEqual(['τ at the layer’s mean', 'τ jittered']);
    expect(spaced(figure!.alt)).toContain('Uneven, at the layer’s mean: −12.0 points (');
    expect(figure!.data.map((row) => row.slice(0, 6))).toEqual([
      ['model', 'change', 'seeds', 'as_trained', 'again', 'difference'],
      ['no-reg', 'unchanged', 2, 0.9, 0.91, null],
      ['no-reg', 'layer-mean', 2, 0.55, 0.79, expect.closeTo(-0.12, 12)],
      ['no-reg', 'jittered', 2, 0.9, 0.915, expect.closeTo(0.005, 12)],
    ]);
  });

  it('is left out unless changes were evaluated', () => {
    expect(describeTauChanges(makeResults({ models: [even] }))).toEqual([]);
  });

  it('has differences without intervals for a single seed', () => {
    const single = makeModelResult({ title: 'One', runs: uneven.runs.slice(0, 1) });
    const rows = textsOf(sectionOf(makeResults({ models: [single] })).table!);
    expect(rows[1]).toEqual(['One', 'at the layer’s mean', '50.0 %', '83.0 %', '−9.0 points', '–']);
  });
});
