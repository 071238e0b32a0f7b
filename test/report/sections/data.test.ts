import { describe, expect, it } from 'vitest';
import type { ManifestResult } from '../../../src/report/data/results.ts';
import type { Table } from '../../../src/report/page/document.ts';
import { describeData } from '../../../src/report/sections/data.ts';
import { makeResults } from '../result-values.ts';

function describeWith(manifest: Partial<ManifestResult>) {
  const base = makeResults();
  const { blocks } = describeData({ ...base, manifest: { ...base.manifest, ...manifest } });
  const tables = blocks.flatMap((block) => (block.kind === 'tables' ? block.tables : []));
  const lists = blocks.flatMap((block) => (block.kind === 'list' ? block.items : []));
  const texts = blocks.flatMap((block) => (block.kind === 'paragraph' ? [block.text.join('')] : []));
  return { tables: new Map(tables.map((table) => [table.id, table])), lists, texts };
}

const cells = (table: Table | undefined) => table?.rows.map((row) => row.map(({ text }) => text));

describe('the section of data', () => {
  it('counts the clips of each user under each light, and shows what was not recorded', () => {
    const { tables } = describeWith({
      perUser: { user01: 22, user02: 11, user03: 11 },
      perLight: { lab: 11, led: 33 },
      perUserLight: { user01: { led: 11, lab: 11 }, user02: { led: 11 }, user03: { led: 11 } },
    });
    const table = tables.get('table-users-lights');
    expect(table?.columns.map(({ label }) => label)).toEqual(['User', 'lab', 'led', 'Total']);
    expect(cells(table)).toEqual([
      ['user01', '11', '11', '22'],
      ['user02', '–', '11', '11'],
      ['user03', '–', '11', '11'],
      ['Total', '11', '33', '44'],
    ]);
    expect(table?.rows[1]?.[1]).toEqual({ text: '–', tone: 'missing' });
    expect([...tables.keys()]).toEqual(['table-splits', 'table-classes', 'table-users-lights']);
  });

  it('counts neither users nor lights for data without them', () => {
    const { perUserLight: _, ...base } = makeResults().manifest;
    const manifest = { ...base, perUser: {}, perLight: {} };
    const { blocks } = describeData({ ...makeResults(), manifest });
    const tables = blocks.flatMap((block) => (block.kind === 'tables' ? block.tables : []));
    expect(tables.map(({ id }) => id)).toEqual(['table-splits', 'table-classes']);
  });
});
