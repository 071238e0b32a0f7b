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

  it('counts the users, and says that those of simulated data are simulated', () => {
    const textOf = (simulated: boolean) => JSON.stringify(describeData(makeResults({ simulated })).blocks[0]);
    expect(textOf(true)).toContain('" 1 simulated user, 24 clips each."');
    expect(textOf(false)).toContain('" 1 user, 24 clips each."');
  });

  it('counts neither users nor lights for data without them', () => {
    const { perUserLight: _, ...base } = makeResults().manifest;
    const manifest = { ...base, perUser: {}, perLight: {} };
    const { blocks } = describeData({ ...makeResults(), manifest });
    const tables = blocks.flatMap((block) => (block.kind === 'tables' ? block.tables : []));
    expect(tables.map(({ id }) => id)).toEqual(['table-splits', 'table-classes']);
  });

  it('lists warnings by their place, and says if there are none', () => {
    const known =
      'user22_led_labels.csv:9  class 8 starts before class 7 in the row above ends. (A known fault in the published labels.)';
    const { lists, texts } = describeWith({ warnings: [known, 'one without a place'] });
    expect(texts[1]).toBe('Checking the data gave 2 warnings:');
    expect(lists).toEqual([
      [
        { code: 'user22_led_labels.csv:9' },
        ' class 8 starts before class 7 in the row above ends. (A known fault in the published labels.)',
      ],
      ['one without a place'],
    ]);
    expect(describeWith({ warnings: [] }).texts[1]).toBe('Checking the data gave no warnings.');
  });

  it('lists twenty of many warnings, and where the others are', () => {
    const warnings = Array.from({ length: 1_234 }, (_, i) => `Train/0/${i}.bin: byte 5  goes back in time.`);
    const { lists } = describeWith({ warnings });
    expect(lists).toHaveLength(21);
    expect(lists[20]).toEqual(['1\u202f214 more, in ', { code: 'artifacts/verify/manifest.json' }, '.']);
  });
});
