import { expect, it } from 'vitest';
import type { ManifestResult } from '../../../src/report/data/results.ts';
import { describeData } from '../../../src/report/sections/data.ts';
import { makeResults, textsOf } from '../result-values.ts';

function describeWith(manifest: Partial<ManifestResult>) {
  const base = makeResults();
  return describeData({ ...base, manifest: { ...base.manifest, ...manifest } }).blocks;
}

it('the section of data counts recordings and clips, and lists what is wrong with them', () => {
  const [, quiet, table] = describeWith({});
  expect(quiet).toMatchObject({ text: ['Checking the data gave no warnings.'] });
  expect(table?.kind === 'table' && textsOf(table.table)).toEqual([
    ['Training and validation', '3', '100'],
    ['Test', '1', '100'],
    ['Total', '4', '200'],
  ]);
  const warnings = Array.from({ length: 21 }, (_, i) => `file${i}.csv:9  a fault`);
  const list = describeWith({ warnings }).find(({ kind }) => kind === 'list');
  expect(list?.kind === 'list' && list.items[0]).toEqual([{ code: 'file0.csv:9' }, ' a fault']);
  expect(list?.kind === 'list' && list.items.at(-1)?.[0]).toBe('1 more, in ');
});
