import { describe, expect, it, test } from 'vitest';
import type { Results } from '../../../src/report/data/results.ts';
import { compareSettings, nameSwitched } from '../../../src/report/data/settings.ts';
import { describeSettings } from '../../../src/report/sections/settings.ts';
import { COMPAT_DEFAULTS, type Compat } from '../../../src/results/thesis/compat.ts';
import { makeModelResult, makeResults, makeRunResult } from '../result-values.ts';

function model(title: string, switched: Partial<Compat>) {
  const compat = { ...COMPAT_DEFAULTS, ...switched };
  return makeModelResult({ id: title, title, runs: [makeRunResult({ compat })] });
}

const resultsOf = (...models: ReturnType<typeof model>[]): Results => makeResults({ models });

/** Switch, value here, default and alternative of each row. */
function tabulate(results: Results) {
  const blocks = describeSettings(results).blocks;
  const tables = blocks.flatMap((block) => (block.kind === 'table' ? [block.table] : []));
  const rows = tables.find(({ id }) => id === 'table-compat')?.rows ?? [];
  return rows.map((row) => [row[0]?.details?.[0], ...row.slice(1).map(({ text }) => text)]);
}

test('the factor for τ’s logits is 1 for models without it, if another has one', () => {
  const factors = (...rates: (number | null)[]) => {
    const models = rates.map((tauRate, i) => {
      const run = makeRunResult({ training: { epochs: 3, ...(tauRate === null ? {} : { tauRate }) } });
      return makeModelResult({ title: `M${i}`, runs: [run] });
    });
    return compareSettings(makeResults({ models })).find(({ label }) => label.startsWith('Factor'))?.used;
  };
  expect(factors(null, 2)).toBe('1 (M0); 2 (M1)');
  expect(factors(null, null)).toBeUndefined();
});

describe('the table of disagreements', () => {
  it('has only switches that are not at their defaults, and names models if they differ', () => {
    const all = resultsOf(
      model('A', { trials: 'first-88' }),
      model('B', { trials: 'first-88', tau_init: 'paper' }),
    );
    expect(tabulate(all)).toEqual([
      ['compat.trials', 'first-88', 'all', 'first-88'],
      ['compat.tau_init', 'code (A) and paper (B)', 'code', 'paper'],
    ]);
    expect(nameSwitched(all)).toEqual(['trials=first-88', 'tau_init=paper']);
    expect(tabulate(resultsOf(model('A', {})))).toEqual([]);
  });

  it('leaves out the last epoch where no clips are held out', () => {
    const clips = { train: 10, validation: 0, test: 5 };
    const compat = { ...COMPAT_DEFAULTS, selection: 'last' } as const;
    const last = makeModelResult({ title: 'A', runs: [makeRunResult({ compat, clips })] });
    expect(nameSwitched(resultsOf(last))).toEqual([]);
    expect(nameSwitched(resultsOf(model('B', { selection: 'last' })))).toEqual(['selection=last']);
  });
});
