import { expect, test } from 'vitest';
import { fillTables } from '../../scripts/results/tables.ts';
import { readPage, repository } from './pages.ts';

test('the table of verdicts in docs/designs.md is what `node scripts/results.mjs` makes of results/', () => {
  const page = readPage('docs/designs.md');
  expect(page).toContain('<!-- left out\n');
  expect(fillTables(repository, page)).toBe(page);
});
