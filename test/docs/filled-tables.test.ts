import { expect, test } from 'vitest';
import { fillTables } from '../../scripts/results/tables.ts';
import { readPage, repository } from './pages.ts';

test.each([
  ['docs/question.md', 10],
  ['docs/designs.md', 1],
])('the tables of %s are what `node scripts/results.mjs` makes of results/', (file, tables) => {
  const page = readPage(file);
  expect(page.match(/<!-- (?:compare|change|left out)\n/g)).toHaveLength(tables);
  expect(fillTables(repository, page)).toBe(page);
});
