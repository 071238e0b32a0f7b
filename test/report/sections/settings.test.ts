import { describe, expect, it, test } from 'vitest';
import type { Results } from '../../../src/report/data/results.ts';
import { compareSettings, listSwitched } from '../../../src/report/data/settings.ts';
import { renderMarkdown } from '../../../src/report/page/markdown.ts';
import { buildReport } from '../../../src/report/report.ts';
import { tabulateCompat } from '../../../src/report/sections/settings.ts';
import { COMPAT_DEFAULTS, COMPAT_SWITCHES, type Compat } from '../../../src/results/thesis/compat.ts';
import { makeModelResult, makeResults, makeRunResult } from '../result-values.ts';

function model(title: string, switched: Partial<Compat>) {
  const compat = { ...COMPAT_DEFAULTS, ...switched };
  return makeModelResult({ id: title, title, runs: [makeRunResult({ compat })] });
}

const resultsOf = (...models: ReturnType<typeof model>[]): Results => makeResults({ models });

/** The cells of this run, by the name of the switch. */
function used(results: Results) {
  const rows = tabulateCompat(results).rows;
  return new Map(rows.map((row) => [row[0]?.details?.[0]?.replace('compat.', ''), row[1]]));
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
  it('lists every switch in order, with its default and its alternative', () => {
    const table = tabulateCompat(resultsOf(model('A', {})));
    expect(table.rows.map((row) => [row[0]?.details?.[0], row[2]?.text, row[3]?.text])).toEqual([
      ...Object.entries(COMPAT_SWITCHES).map(([name, { choices }]) => {
        const [usual, ...others] = choices.map(({ value }) => value);
        return [`compat.${name}`, usual, others.join(', ')];
      }),
      ['frames.overlaps', 'both', 'earlier'],
    ]);
    expect(table.rows.map((row) => row[1]?.details)).toEqual(table.rows.map(() => ['default']));
  });

  it('marks values other than the default, and names models if they differ', () => {
    const all = resultsOf(
      model('A', { trials: 'first-88' }),
      model('B', { trials: 'first-88', tau_init: 'paper' }),
    );
    expect(used(all).get('trials')).toEqual({
      text: 'first-88',
      tone: 'differs',
      details: ['not the default'],
    });
    expect(used(all).get('tau_init')).toEqual({
      text: 'paper (B)',
      tone: 'differs',
      details: ['default for A'],
    });
    expect(used(all).get('selection')).toEqual({ text: 'validation', details: ['default'] });
    expect(listSwitched(all)).toEqual(['trials=first-88', 'tau_init=paper']);
  });

  it('never shows the model’s batch size if the profile overrides it', () => {
    const ofSize = (title: string, batchSize: number, switched: Partial<Compat> = {}) =>
      makeModelResult({
        title,
        train: { batchSize: 16 },
        runs: [
          makeRunResult({ compat: { ...COMPAT_DEFAULTS, ...switched }, training: { epochs: 3, batchSize } }),
        ],
      });
    const quick = resultsOf(ofSize('A', 8), ofSize('B', 8));
    expect(used(quick).get('batch_size')).toEqual({
      text: '8',
      tone: 'differs',
      details: ['set by train.batchSize of the profile'],
    });
    expect(listSwitched(quick)).toEqual([]);
    expect(renderMarkdown(buildReport(quick, { title: 'A run' }))).toContain(
      'The profile sets its own batch size, which overrides both.',
    );
    expect(used(resultsOf(ofSize('A', 16))).get('batch_size')).toEqual({
      text: 'paper',
      details: ['default'],
    });
    expect(used(resultsOf(ofSize('A', 32, { batch_size: 'documented' }))).get('batch_size')).toEqual({
      text: 'documented',
      tone: 'differs',
      details: ['not the default'],
    });
  });
});
